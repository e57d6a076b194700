import type { SmokeSpec } from '../health/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { Dependencies } from './dependencies.ts';
import type { Recovery } from './recovery.ts';
import type { SupervisionParts } from './supervision-parts.ts';

/** Looks at components, dependencies and smoke checks again and again while the service runs, and hands over what is wrong. */
export class Watch {
  private readonly parts: Pick<SupervisionParts, 'ports' | 'settings' | 'components' | 'smoke' | 'storms' | 'signal'>;
  private readonly dependencies: Dependencies;
  private readonly recovery: Recovery;
  private smokeLoops = new AbortController();

  constructor(parts: Watch['parts'], dependencies: Dependencies, recovery: Recovery) {
    this.parts = parts;
    this.dependencies = dependencies;
    this.recovery = recovery;
  }

  /** Watches everything that is up; problems are recovered from one at a time per component. */
  watchAll(): void {
    const { components, settings, storms, signal } = this.parts;
    for (const [name, runner] of components.runners) if (runner.isRunning()) this.recovery.watch(name, runner);
    for (const spec of settings.components) if (spec.kind === 'dependency') void this.watchDependency(spec).catch(() => undefined); // aborted
    this.smokeLoops.abort();
    this.smokeLoops = new AbortController();
    void storms.watch(AbortSignal.any([signal, this.smokeLoops.signal])).catch(() => undefined); // aborted
    for (const smoke of settings.smoke) if (smoke.everyMs !== null) void this.repeatSmoke(smoke, smoke.everyMs).catch(() => undefined); // aborted
  }

  private async watchDependency(spec: ComponentSpec): Promise<void> {
    const { ports, signal, storms } = this.parts;
    const probe = spec.liveness ?? spec.readiness;
    for (let failures = 0; ;) {
      await ports.clock.sleep(probe?.intervalMs ?? 2000, signal);
      if (this.recovery.isRecovering(spec.name)) continue;
      if (await this.dependencies.answers(spec)) failures = 0;
      else if (++failures >= (probe?.failureThreshold ?? 2)) {
        failures = 0;
        await this.recovery.guarded(spec.name, async () => {
          await storms.note(spec.name);
          ports.emit({
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
    const { signal, ports, components } = this.parts;
    const stop = AbortSignal.any([signal, this.smokeLoops.signal]);
    for (;;) {
      await ports.clock.sleep(everyMs, stop);
      const name = this.parts.smoke.blamed(smoke);
      if (name === null || this.recovery.isRecovering(name)) continue;
      const runner = components.runners.get(name);
      if (!runner?.isRunning()) continue;
      const failed = await this.parts.smoke.failed([smoke], 2);
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
