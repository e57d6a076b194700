import { join } from 'node:path';
import { readRegisteredRoutes } from '../adapters/node/registered-routes.ts';
import type { RunningComponent, ServiceView } from '../domains/preflight/index.ts';
import type { ComponentRunner, ProcessHost } from '../domains/supervisor/index.ts';

/** The running service as the checks may see it. */
export function serviceView(runners: ReadonlyMap<string, ComponentRunner>, host: ProcessHost, routesDir: string): ServiceView {
  return {
    components: () =>
      Promise.all(
        [...runners.values()].map(async (runner): Promise<RunningComponent> => ({
          name: runner.spec.name,
          state: await stateOf(runner),
          port: runner.port,
        })),
      ),
    registeredRoutes: (component) =>
      readRegisteredRoutes(join(routesDir, component), new Set(host.members(component).map(({ pid }) => pid))),
  };
}

async function stateOf(runner: ComponentRunner): Promise<RunningComponent['state']> {
  if (runner.isRunning()) return 'alive';
  const { process, spec } = runner;
  if (process === null) return spec.optional ? 'left_out' : 'gone';
  const ended = await Promise.race([process.exited, Promise.resolve(null)]);
  return ended?.exitCode === 0 && spec.restart.policy !== 'always' ? 'done' : 'gone';
}
