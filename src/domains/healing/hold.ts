import { approvalState, isExpiringSoon } from '../governance/index.ts';
import type { WaitFor } from '../learning/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { HealResult } from './healer.ts';
import type { SupervisionPorts } from './supervision-ports.ts';
import { waitForCause } from './wait-for-cause.ts';

/** Between a hold and the next try when nothing is seen to change. */
const PATIENCE_MS = [15_000, 30_000, 60_000, 120_000, 300_000];
const APPROVAL_LOOK_MS = 500;

/** @param holds   how often it was held before */
export function patienceMsAfter(holds: number): number {
  return PATIENCE_MS[Math.min(holds, PATIENCE_MS.length - 1)] ?? 60_000;
}

/** A hold: waits until something has changed that makes another try worth it. */
export class Hold {
  private readonly ports: SupervisionPorts;
  private readonly signal: AbortSignal;
  /** Ends the wait before the next try of a recovery. */
  private readonly hurries = new Map<string, (why: string) => void>();

  constructor(ports: SupervisionPorts, signal: AbortSignal) {
    this.ports = ports;
    this.signal = signal;
  }

  /**
   * What differs from the last good boot is what somebody will mend first: a change there ends the wait as well.
   * @param suspects   taken before it was said that Grace waits: whoever reads that is quick
   */
  waitForChange(waitFor: WaitFor | null, spec: ComponentSpec, patienceMs: number, suspects: readonly string[]): Promise<string> {
    return waitForCause(waitFor, spec, patienceMs, { ...this.ports, host: this.ports.view }, this.signal, suspects);
  }

  /** Before the next try of a recovery: a change ends the wait, and so does `hurry`. */
  async untilHurried(spec: ComponentSpec, patienceMs: number, suspects: readonly string[]): Promise<void> {
    const hurried = new AbortController();
    const ports = { ...this.ports, host: this.ports.view };
    const change = waitForCause(null, spec, patienceMs, ports, AbortSignal.any([this.signal, hurried.signal]), suspects);
    const asked = new Promise<string>((resolve) => this.hurries.set(spec.name, resolve));
    try {
      await Promise.race([change, asked]);
    } finally {
      this.hurries.delete(spec.name);
      hurried.abort();
      await change.catch(() => undefined); // it was ended here, or has said so already
    }
  }

  /** What a recovery that waits before its next try may have waited for is there: it tries again now. */
  hurry(name: string, why: string): void {
    this.hurries.get(name)?.(why);
  }

  /** Whoever is asked may mend it by hand instead of answering, and a cause may go away: that is noticed as well. */
  async approvalOrChange(asked: Extract<HealResult, { state: 'needs_approval' }>, spec: ComponentSpec): Promise<string> {
    const decided = new AbortController();
    const signal = AbortSignal.any([this.signal, decided.signal]);
    const ports = { ...this.ports, host: this.ports.view };
    try {
      // Without an answer and without a change a new try would only ask again.
      const change = waitForCause(asked.diagnosis.waitFor, spec, Infinity, ports, signal, asked.watch);
      return await Promise.race([this.approvalOf(asked.approval, signal), change]);
    } finally {
      decided.abort();
    }
  }

  private async approvalOf(id: string, signal: AbortSignal): Promise<string> {
    let isWarned = false;
    for (;;) {
      await this.ports.clock.sleep(APPROVAL_LOOK_MS, signal);
      const approval = await this.ports.approvals.get(id);
      const state = approval === null ? 'expired' : approvalState(approval, this.ports.clock.nowMs());
      if (state !== 'pending') return `${id} was ${state}`;
      if (isWarned || approval === null || !isExpiringSoon(approval, this.ports.clock.nowMs())) continue;
      isWarned = true;
      const { component, playbook, expiresAtMs } = approval;
      this.ports.emit({ type: 'approval_expiring', component, playbook, approval: id, expiresAtMs });
    }
  }
}
