import type { Phase } from '../governance/index.ts';
import type { AttemptScope, PlaybookRun } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { AppliedRun } from './applied-runs.ts';
import type { Healer } from './healer.ts';

/** Runs from before this boot that nobody has proven: what a component does now proves them, or takes them back. */
export class CarriedRuns {
  private carried: (AppliedRun & { readonly scope: AttemptScope })[] = [];
  private asked: readonly PlaybookRun[] = [];
  private readonly healer: Pick<Healer, 'applied' | 'asked'>;
  private readonly signal: AbortSignal;

  constructor(healer: CarriedRuns['healer'], signal: AbortSignal) {
    this.healer = healer;
    this.signal = signal;
  }

  /** Fixes of an earlier Grace that nobody has proven: what a component does now proves them, or takes them back. */
  carryOver(runs: readonly (AppliedRun & { readonly scope: AttemptScope })[]): void {
    this.carried.push(...runs);
  }

  /** Rollbacks that people asked for: likewise, whatever it is that fails then. */
  carryAsked(runs: readonly PlaybookRun[]): void {
    this.asked = runs;
  }

  /** @returns whether something was taken back: then it is another release that is tried next */
  async tookBackAsked(spec: ComponentSpec, phase: Phase): Promise<boolean> {
    if (!this.healer.applied.mayTakeBack(phase)) return false;
    const mine = this.asked.filter((run) => run.component === spec.name);
    this.asked = this.asked.filter((run) => !mine.includes(run));
    for (const run of mine.toReversed()) await this.healer.asked.takeBack(run, spec, this.signal);
    return mine.length > 0;
  }

  carriedFor(component: string, scope: AttemptScope): AppliedRun[] {
    const mine = this.carried.filter((r) => r.component.name === component && r.scope === scope);
    this.carried = this.carried.filter((r) => !mine.includes(r));
    return mine;
  }

  /** Whether people asked for a rollback of this component. */
  hasAsked(component: string): boolean {
    return this.asked.some((run) => run.component === component);
  }

  /** All that are left of an earlier Grace. */
  takeCarried(): readonly AppliedRun[] {
    return this.carried.splice(0);
  }

  /** All that are left of those that people asked for. */
  takeAsked(): readonly PlaybookRun[] {
    const asked = this.asked;
    this.asked = [];
    return asked;
  }
}
