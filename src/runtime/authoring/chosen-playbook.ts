import { join } from 'node:path';
import type { PlaybookStore, RegisteredPlaybook } from '../../domains/playbooks/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import type { GraceConfig } from '../config/index.ts';
import { NoSuchComponent, NoSuchPlaybook } from './errors.ts';

/**
 * The playbook of a name that has a file.
 * @throws NoSuchPlaybook also for one that ships with Grace and has not been written here yet
 */
export async function chosenPlaybook(name: string, playbooks: PlaybookStore, playbooksDir: string): Promise<RegisteredPlaybook> {
  const found = await playbooks.get(name);
  if (found === null)
    throw new NoSuchPlaybook(
      `there is no playbook "${name}" in ${playbooksDir}, or its file does not load`,
      'see the known ones with: grace playbooks list; one that does not load is told by: grace check',
    );
  if (found.origin === 'shipped')
    throw new NoSuchPlaybook(
      `"${name}" ships with Grace, and has no file in ${playbooksDir} yet`,
      `Grace writes ${join(playbooksDir, `${name}.ts`)} when a failure calls for it`,
    );
  return found;
}

/** The one that is named, the one it is for, or the first process. @throws NoSuchComponent */
export function chosenComponent(
  asked: string | null,
  playbook: Pick<RegisteredPlaybook, 'component'>,
  { components }: Pick<GraceConfig, 'components'>,
): ComponentSpec {
  const wanted = asked ?? playbook.component ?? components.find((c) => c.kind === 'process')?.name;
  const found = components.find((c) => c.name === wanted);
  if (found === undefined)
    throw new NoSuchComponent(
      wanted ?? '',
      components.map((c) => c.name),
    );
  return found;
}
