import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { CAREFUL, step } from './answer.ts';
import { restartingFamily } from './restarting.ts';

const SERVER_ERROR = /\bHTTP\/?[\d.]* ?5\d\d\b|\bstatus(?: code)? 5\d\d\b/i;

/** It answers, but with errors. */
export const errors: FailureFamily = restartingFamily({
  name: 'errors',
  title: 'it answers with errors',
  confidence: 0.6,
  causeOf: ({ failure, component }) => {
    if (failure.symptom === 'liveness' && SERVER_ERROR.test(failure.message))
      return `${component.name} answers with errors: ${failure.message}`;
    return failure.symptom === 'smoke' ? `${component.name} answers, but does not work any more: ${failure.message}` : null;
  },
  advice: 'read its first error after the last good answer',
  investigation: {
    playbook: 'investigate_error_spike',
    care: CAREFUL,
    steps: [step('group what it said wrong in the last minutes', 'group_recent_errors', { minutes: 5 })],
  },
});

/** It lives and does not answer. */
export const hung: FailureFamily = restartingFamily({
  name: 'hung',
  title: 'it does not answer',
  confidence: 0.55,
  causeOf: ({ failure, component }) =>
    failure.symptom === 'liveness' && !SERVER_ERROR.test(failure.message)
      ? `${component.name} runs but does not answer: ${failure.message}`
      : null,
  advice: 'see what it is busy with: a profile or a thread dump before it is restarted',
});

/** It answers far slower than it used to. */
export const slow: FailureFamily = restartingFamily({
  name: 'slow',
  title: 'it answers too slowly',
  confidence: 0.55,
  causeOf: ({ failure, component }) =>
    failure.symptom === 'latency' ? `${component.name} answers far slower than it used to: ${failure.message}` : null,
  advice: 'see what it waits for: a profile, slow queries, the disk',
});

/** It grows towards its limit. */
export const memoryGrowth: FailureFamily = restartingFamily({
  name: 'memory_growth',
  title: 'it grows towards its memory limit',
  confidence: 0.75,
  causeOf: ({ failure, component }) =>
    failure.symptom === 'memory' ? `${component.name} grows towards its limit: ${failure.message}` : null,
  advice: 'two heap snapshots some minutes apart show what grows',
});

/** It ended while it ran. */
export const crash: FailureFamily = restartingFamily({
  name: 'crash',
  title: 'it ended while it ran',
  confidence: 0.4,
  causeOf: ({ failure, component }) => {
    if (failure.symptom !== 'exit') return null;
    const how = failure.signal === null ? `exit code ${failure.exitCode ?? '?'}` : failure.signal;
    const killed = failure.signal === 'SIGKILL' ? ': somebody killed it, or the kernel did for want of memory' : '';
    return `${component.name} ended while it ran (${how})${killed}${failure.headline === '' ? '' : `: ${failure.headline}`}`;
  },
  advice: 'read its last words',
});

/** A database or queue that refuses writes: connections opened afresh often reach a writable one. */
export const writesRefused: FailureFamily = restartingFamily({
  name: 'writes_refused',
  title: 'writes are refused',
  confidence: 0.65,
  causeOf: (c) => {
    const fact = factsOf(c, 'writes_refused')[0];
    return fact === undefined ? null : `${fact.subject || c.component.name} refuses writes: ${fact.line}`;
  },
  advice: 'see why: a replica without its primary, a snapshot that could not be saved, too few replicas',
});
