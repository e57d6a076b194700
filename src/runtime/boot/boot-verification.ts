import { nodeClock } from '../../adapters/node/clock.ts';
import { nextPatternState } from '../../domains/incidents/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import type { BootId } from '../../kernel/index.ts';
import type { Composed } from '../compose.ts';
import type { BootRecorder } from './boot-recorder.ts';
import { learnFromPeople } from './learn-from-people.ts';

export interface BootVerificationOptions {
  readonly components: readonly ComponentSpec[];
  readonly composed: Pick<Composed, 'incidents' | 'keepAsGood' | 'lookback' | 'playbooks' | 'shadow' | 'supervision'>;
  readonly recorder: Pick<BootRecorder, 'verified'>;
  readonly bootId: BootId;
  readonly signal: AbortSignal;
}

/** Shows a boot that has ended well to be good, and then takes what it was made with as good. */
export class BootVerification {
  /** This boot was shown to be good: only then may its files take the place of those that were. */
  isVerified = false;
  private readonly options: BootVerificationOptions;

  constructor(options: BootVerificationOptions) {
    this.options = options;
  }

  /** A boot counts as verified when all is ready after the soak time. */
  async afterSoak(): Promise<void> {
    const soakMs = Math.max(0, ...this.options.components.map((c) => c.soakMs));
    await nodeClock.sleep(soakMs, this.options.signal).catch(() => undefined); // an orderly stop ends it early: then what was seen so far counts
    if (await this.allReady()) await this.verify();
  }

  private async allReady(): Promise<boolean> {
    const ready = await Promise.all([...this.options.composed.supervision.runners.values()].map((r) => r.isReadyNow()));
    return ready.every(Boolean);
  }

  private async verify(): Promise<void> {
    const { components, composed, recorder, bootId } = this.options;
    const { incidents, lookback, playbooks, shadow, supervision } = composed;
    // Not before: until a boot is shown to be good, the copies of the last one that was are the way back.
    for (const spec of components) await shadow.lookAhead(spec);
    await composed.keepAsGood(components);
    this.isVerified = true;
    await recorder.verified(await lookback.fingerprint('verified'));
    for (const run of await playbooks.runsOf(bootId)) {
      // What a guard did before the start has held as well; what a person had done meanwhile says nothing yet.
      if (run.state !== 'applied' || run.scope === 'person') continue;
      await playbooks.saveRun({ ...run, state: 'verified' }, 'what it changed before the start held for the soak time');
    }
    const seen = new Set(supervision.desk.captured.flatMap((c) => [c.failure.signature, ...(c.alike ?? [])]));
    for (const pattern of await incidents.patterns())
      if (!seen.has(pattern.signature)) await incidents.savePattern({ ...pattern, ...nextPatternState(pattern, 'clean_boot') });
    await learnFromPeople(components, components, composed);
  }
}
