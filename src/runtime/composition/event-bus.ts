import { EventEmitter, once } from 'node:events';
import { nodeClock } from '../../adapters/node/clock.ts';
import type { Emit, GraceEvent } from '../../domains/healing/index.ts';
import type { Redactor } from '../../domains/incidents/index.ts';
import type { BootId } from '../../kernel/index.ts';
import type { Audit } from '../audit.ts';
import { eventNote, restartNotes } from '../audit-notes.ts';

/** Of an event that Grace sends to itself. */
const SELF_TEST_MS = 1000;

/** The mesh inside this process: everything that happens goes through it, redacted, and what is worth an entry gets one. */
export interface EventBus {
  readonly emit: Emit;
  onEvent(listener: (event: GraceEvent) => void): void;
  /** Sends an event to itself; throws when it does not arrive. @returns milliseconds */
  roundTrip(): Promise<number>;
}

/** @param outside  hears of everything, before anybody else does */
export function eventBus(outside: Emit, redactor: Redactor, audit: Audit | null, bootId: BootId): EventBus {
  const bus = new EventEmitter();
  bus.on('grace.event', outside);
  const restarted = restartNotes();
  return {
    emit(event) {
      const redacted = redactor.redactReport(event);
      const note = audit === null ? null : (eventNote(redacted, bootId) ?? restarted(redacted));
      if (note !== null) audit?.note(note);
      // Whoever is called also gets the head: another place that knows it.
      bus.emit('grace.event', redacted.type === 'person_needed' && audit !== null ? { ...redacted, audit: audit.lastHead } : redacted);
    },
    onEvent: (listener) => void bus.on('grace.event', listener),
    async roundTrip() {
      const startedMs = nodeClock.monotonicMs();
      const arrived = once(bus, 'grace.self_test', { signal: AbortSignal.timeout(SELF_TEST_MS) });
      bus.emit('grace.self_test', bootId);
      const [got] = (await arrived) as [unknown];
      if (got !== bootId) throw new Error('another event arrived');
      return nodeClock.monotonicMs() - startedMs;
    },
  };
}
