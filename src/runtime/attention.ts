import { nodeClock } from '../adapters/node/clock.ts';
import { AnsweredApprovals } from '../domains/healing/index.ts';
import { BEAT_MS, beatAt, type ComponentSpec } from '../domains/supervisor/index.ts';
import { messageOf, type BootId, type Logger } from '../kernel/index.ts';
import type { Composed } from './compose.ts';
import type { GraceConfig } from './config/index.ts';

export interface AttentionPorts {
  readonly composed: Composed;
  readonly config: GraceConfig;
  readonly bootId: BootId;
  readonly logger: Logger;
  /** Ends with the session, however it ends. */
  readonly signal: AbortSignal;
  /** Aborted when Grace is told to stop. */
  readonly stopped: AbortSignal;
  /** Whether the service has booted: before that, what starts and changes components is the boot. */
  isWatching(): boolean;
  /** Looks again at what waited for this approval. @returns false when this is no moment to */
  lookAgain(approval: string): Promise<boolean>;
}

/** Nobody sits and waits for these, and each is a query of the store: with every beat they were a twentieth of what an idle Grace costs. */
const BEATS_BETWEEN_RARER_LOOKS = 3;

/**
 * What people say to a Grace that runs: the mode, approvals of policies, requests, and what they agree to. The store is where commands
 * leave it, and it is seen within a beat, or within three. So is a command that was killed while a playbook of its own acted: what it did is undone.
 */
export async function payAttention(ports: AttentionPorts): Promise<void> {
  const { composed, config, bootId, logger, signal, stopped } = ports;
  const { approvals, governance, personRequests, playbooks, healer, supervision, redactedEmit: emit } = composed;
  const answered = new AnsweredApprovals({
    clock: nodeClock,
    approvals,
    playbooks,
    healer,
    components: config.components,
    bootId,
    emit,
    isRecovering: (name) => supervision.isRecovering(name),
    hurry: (name, why) => supervision.hurry(name, why),
    lookAgain: (approval) => ports.lookAgain(approval),
    signal: stopped,
  });
  const specOf = (name: string): ComponentSpec | null => config.components.find((c) => c.name === name) ?? null;
  let undoing: Promise<void> | null = null;
  /** Beside the next looks: what has to be put back may take its time. */
  const undoLeft = async (): Promise<void> => {
    try {
      await healer.cutOff.undoLeftByOthers(specOf, stopped, () => composed.endLeftByHand());
    } catch (error) {
      if (!stopped.aborted) logger.warn('what a command had not finished could not be undone', { error: messageOf(error) });
    }
  };
  let isTold = false;
  for (let beat = 0; !signal.aborted; beat++) {
    const mayAct = ports.isWatching() && !stopped.aborted;
    try {
      await governance.look();
      await personRequests.look(mayAct);
      await approvals.expire(nodeClock.nowMs());
      const isRarer = beat % BEATS_BETWEEN_RARER_LOOKS === 0;
      if (isRarer) await answered.look(mayAct);
      if (isRarer && !stopped.aborted) undoing ??= undoLeft().finally(() => (undoing = null));
      isTold = false;
    } catch (error) {
      if (!isTold) logger.warn('what people ask for cannot be read', { error: messageOf(error) });
      isTold = true;
    }
    const nowMs = nodeClock.monotonicMs();
    await nodeClock.sleep(beatAt(nowMs + BEAT_MS, nowMs) - nowMs, signal).catch(() => undefined); // aborted
  }
  await answered.ended();
  await undoing;
}
