import type { SmokeSpec } from '../health/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { Dependencies } from './dependencies.ts';
import type { Recovery } from './recovery.ts';
import type { SmokeChecks } from './smoke-checks.ts';
import type { StormWatch } from './storm-watch.ts';
import type { SupervisedComponents } from './supervised-components.ts';
import type { SupervisionPorts, SupervisionSettings } from './supervision-ports.ts';

/** Looks at components, dependencies and smoke checks again and again while the service runs, and hands over what is wrong. */
export class Watch {
  private readonly ports: SupervisionPorts;
  private readonly settings: SupervisionSettings;
  private readonly components: SupervisedComponents;
  private readonly dependencies: Dependencies;
  private readonly storms: StormWatch;
  private readonly smoke: SmokeChecks;
  private readonly recovery: Recovery;
  private readonly signal: AbortSignal;
  private smokeLoops = new AbortController();

  constructor(
    ports: SupervisionPorts,
    settings: SupervisionSettings,
    components: SupervisedComponents,
    dependencies: Dependencies,
    storms: StormWatch,
    smoke: SmokeChecks,
    recovery: Recovery,
    signal: AbortSignal,
  ) {
    this.ports = ports;
    this.settings = settings;
    this.components = components;
    this.dependencies = dependencies;
    this.storms = storms;
    this.smoke = smoke;
    this.recovery = recovery;
    this.signal = signal;
  }

  /** Watches everything that is up; problems are recovered from one at a time per component. */
  watchAll(): void {
    for (const [name, runner] of this.components.runners) if (runner.isRunning()) this.recovery.watch(name, runner);
    for (const spec of this.settings.components) if (spec.kind === 'dependency') void this.watchDependency(spec).catch(() => undefined); // aborted
    this.smokeLoops.abort();
    this.smokeLoops = new AbortController();
    void this.storms.watch(AbortSignal.any([this.signal, this.smokeLoops.signal])).catch(() => undefined); // aborted
    for (const smoke of this.settings.smoke) if (smoke.everyMs !== null) void this.repeatSmoke(smoke, smoke.everyMs).catch(() => undefined); // aborted
  }

  private async watchDependency(spec: ComponentSpec): Promise<void> {
    const probe = spec.liveness ?? spec.readiness;
    for (let failures = 0; ;) {
      await this.ports.clock.sleep(probe?.intervalMs ?? 2000, this.signal);
      if (this.recovery.isRecovering(spec.name)) continue;
      if (await this.dependencies.answers(spec)) failures = 0;
      else if (++failures >= (probe?.failureThreshold ?? 2)) {
        failures = 0;
        await this.recovery.guarded(spec.name, async () => {
          await this.storms.note(spec.name);
          this.ports.emit({
            type: 'component_failed',
            component: spec.name,
            symptom: 'dependency',
            message: `${spec.name} does not answer any more`,
          });
          await this.dependencies.bringUp(spec, 'runtime', 'runtime');
        });
      }
    }
  }

  private async repeatSmoke(smoke: SmokeSpec, everyMs: number): Promise<void> {
    const stop = AbortSignal.any([this.signal, this.smokeLoops.signal]);
    for (;;) {
      await this.ports.clock.sleep(everyMs, stop);
      const name = this.smoke.blamed(smoke);
      if (name === null || this.recovery.isRecovering(name)) continue;
      const runner = this.components.runners.get(name);
      if (!runner?.isRunning()) continue;
      const failed = await this.smoke.failed([smoke], 2);
      if (failed === null || stop.aborted || this.recovery.isRecovering(name)) continue;
      await this.recovery.recover(
        name,
        runner.problem('smoke', `smoke check "${smoke.name}" failed: ${failed.result.detail}`, 0, { detail: failed.result.detail }),
      );
    }
  }

  /** Ends what runs on its own; components and dependencies are watched until they stop. */
  stop(): void {
    this.smokeLoops.abort();
  }
}
