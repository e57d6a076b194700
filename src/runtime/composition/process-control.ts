import { nodeClock } from '../../adapters/node/clock.ts';
import { allPids, identityOf, isAlive, machineBootId, readStat } from '../../adapters/node/proc.ts';
import { nodeSpawner } from '../../adapters/node/spawner.ts';
import type { Redactor } from '../../domains/incidents/index.ts';
import type { HostView, ProcessControl } from '../../domains/playbooks/index.ts';
import type { ComponentRunner, ComponentSpec, ProcessHost } from '../../domains/supervisor/index.ts';
import type { GraceConfig } from '../config/index.ts';
import type { ComponentLaunches } from './component-launches.ts';

export interface ProcessControlOptions {
  component(name: string): ComponentSpec | null;
  readonly dependencyWaits: GraceConfig['dependencyWaits'];
  readonly host: ProcessHost;
  readonly view: HostView;
  readonly launchOf: ComponentLaunches['launchOf'];
  readonly redactor: Redactor;
  readonly signal: AbortSignal;
  runners(): ReadonlyMap<string, ComponentRunner>;
}

const STOP_GRACE_MS = 5000;
/** After SIGKILL only the kernel can be slow. */
const KILL_WAIT_MS = 3000;
const TICK_MS = 20;
const START_MS = 60_000;

/** What primitives may do to processes: end, resume, restart them, and start what the service depends on. */
export function processControl(options: ProcessControlOptions): ProcessControl {
  const { host, view, signal, redactor, runners } = options;

  /** The stopped process that holds its port, and those it started: only where it works in the dependency's own data. */
  async function resumeDependency(spec: ComponentSpec): Promise<boolean> {
    const holder = spec.port === null ? null : await view.portHolder(spec.port, spec.name);
    const isItsOwn = holder?.cwd != null && spec.roots.some((root) => `${holder.cwd ?? ''}/`.startsWith(`${root}/`));
    if (holder === null || !isItsOwn) return false;
    const family = allPids().filter((pid) => pid === holder.pid || readStat(pid)?.parentPid === holder.pid);
    return family
      .filter((pid) => readStat(pid)?.state === 'T')
      .map((pid) => identityOf(pid))
      .map((identity) => identity !== null && host.signal(identity, 'SIGCONT'))
      .some(Boolean);
  }

  return {
    async endStale(component, pid, startTicks) {
      const identity = { pid, startTicks, machineBootId: machineBootId() };
      if (!isAlive(identity)) return false;
      const graceMs = options.component(component)?.stop.graceMs ?? STOP_GRACE_MS;
      host.signal(identity, 'SIGTERM');
      if (readStat(pid)?.state === 'T') host.signal(identity, 'SIGCONT');
      const deadlineMs = nodeClock.monotonicMs() + graceMs;
      while (isAlive(identity) && nodeClock.monotonicMs() < deadlineMs) await nodeClock.sleep(TICK_MS);
      if (isAlive(identity)) host.signal(identity, 'SIGKILL');
      while (isAlive(identity) && nodeClock.monotonicMs() < deadlineMs + KILL_WAIT_MS) await nodeClock.sleep(TICK_MS);
      return !isAlive(identity);
    },
    async resume(component) {
      const spec = options.component(component);
      if (spec?.kind === 'dependency') return resumeDependency(spec);
      const identity = runners().get(component)?.process?.identity;
      return (
        identity !== undefined &&
        host
          .members(component)
          .map((i) => host.signal(i, 'SIGCONT'))
          .some(Boolean)
      );
    },
    async restart(component) {
      // Only stopped here: the bring-up that asked for it starts it again and waits until it is ready.
      await runners().get(component)?.stop();
    },
    async startDependency(name) {
      const spec = options.component(name);
      if (spec === null || spec.kind !== 'dependency' || spec.command.length === 0)
        return { started: false, output: 'nobody here may start it' };
      const launch = await options.launchOf(spec);
      const result = await nodeSpawner.run(launch.argv, {
        cwd: spec.cwd,
        env: launch.env,
        timeoutMs: options.dependencyWaits.get(name)?.startTimeoutMs ?? START_MS,
        signal,
      });
      return { started: result.exitCode === 0, output: redactor.redact(`${result.stdout}\n${result.stderr}`) };
    },
  };
}
