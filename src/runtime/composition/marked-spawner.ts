import { MARK } from '../../adapters/node/proc.ts';
import { nodeSpawner } from '../../adapters/node/spawner.ts';
import type { Spawner } from '../../kernel/index.ts';

/**
 * What fixes and checks run is marked too, so that the next Grace finds it when this one is killed. What the start command
 * of a dependency leaves running is meant to stay, and is not.
 * @param mark  within the installation, see `cut-off.ts`
 */
export function markedSpawner(installation: string, mark: string): Spawner {
  return {
    run: (argv, given) => nodeSpawner.run(argv, { ...given, env: { ...given.env, [MARK]: `${installation}/${mark}` } }),
  };
}
