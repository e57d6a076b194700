import { parseEnv } from 'node:util';
import { nodeFiles } from '../../adapters/node/files.ts';
import type { Redactor } from '../../domains/incidents/index.ts';
import type { Overrides } from '../../domains/playbooks/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { portNames, type PortNamers } from '../port-names.ts';
import { buildLaunch } from '../service-environment.ts';

export interface ComponentLaunchesOptions {
  readonly config: Omit<PortNamers, 'environments'>;
  /** The environment of the person who started Grace. */
  readonly caller: Readonly<Record<string, string>>;
  readonly overrides: Overrides;
  readonly redactor: Redactor;
}

/** How components would be started now. Whatever is told here, the redactor knows from then on. */
export interface ComponentLaunches {
  launchOf(spec: ComponentSpec): ReturnType<typeof buildLaunch>;
  /** Environment that it would be started with. */
  environmentOf(spec: ComponentSpec): Promise<Readonly<Record<string, string>>>;
  /** Who counts on a port of a component, in words, see `port-names.ts`. */
  portNamedBy(component: string, port: number, variable: string): Promise<readonly string[]>;
}

export function componentLaunches({ config, caller, overrides, redactor }: ComponentLaunchesOptions): ComponentLaunches {
  const launchOf = async (spec: ComponentSpec) => {
    const launch = await buildLaunch(spec, caller, await overrides.get(spec.name), nodeFiles);
    redactor.learnEnvironment(launch.env);
    // Also those that the service reads by itself, and those that the caller's environment hides.
    for (const file of spec.envFiles) redactor.learnEnvironment(parseEnv((await nodeFiles.readText(file).catch(() => null)) ?? ''));
    return launch;
  };
  const environmentOf = async (spec: ComponentSpec) => (await launchOf(spec)).env;
  return {
    launchOf,
    environmentOf,
    async portNamedBy(component, port, variable) {
      const environments = new Map<string, Readonly<Record<string, string>>>();
      // A dependency runs already, without the environment that Grace was started in.
      for (const spec of config.components)
        environments.set(
          spec.name,
          spec.kind === 'dependency' ? spec.env : { ...(await environmentInFiles(spec)), ...(await environmentOf(spec)) },
        );
      return portNames(port, component, variable, { ...config, environments });
    },
  };
}

async function environmentInFiles(spec: ComponentSpec): Promise<Readonly<Record<string, string>>> {
  return Object.fromEntries(
    (await Promise.all(spec.envFiles.map((file) => nodeFiles.readText(file).catch(() => null)))).flatMap((content) =>
      Object.entries(parseEnv(content ?? '')).map(([name, value]): [string, string] => [name, value ?? '']),
    ),
  );
}
