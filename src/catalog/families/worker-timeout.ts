import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, HARMLESS, isRuntime, LIKELY, linesOf, number, PERHAPS, remedy, step } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';

/** Gunicorn's own limit. */
const DEFAULT_SECONDS = 30;
const STEP = 4;
/** What does not load in this time does not load at all. */
const SECONDS_MAX = 480;

/** A server ends its worker because that takes too long. While it starts it may only need more time; later it hangs. */
export const workerTimeout: FailureFamily = {
  name: 'worker_timeout',
  title: 'a worker is ended because it takes too long',
  diagnose(c) {
    const facts = factsOf(c, 'worker_timeout');
    const [fact] = facts;
    if (fact === undefined) return Promise.resolve([]);
    const inCommand = secondsIn(c.component.command.join(' '));
    const limit = inCommand ?? secondsIn(c.env['GUNICORN_CMD_ARGS'] ?? '') ?? number(fact, 'limitSeconds') ?? DEFAULT_SECONDS;
    const next = Math.min(limit * STEP, SECONDS_MAX);
    // What the command line says wins over the variable.
    const canRaise = fact.subject === 'gunicorn' && inCommand === null && next > limit && !isRuntime(c);
    return Promise.resolve([
      diagnosis('worker_timeout', {
        cause: isRuntime(c)
          ? `a worker of ${fact.subject} was ended after ${limit} s: it waits for something, or works too long`
          : `a worker of ${fact.subject} does not get ready within its ${limit} s`,
        confidence: canRaise ? LIKELY : PERHAPS,
        evidence: linesOf(facts),
        remedy: canRaise
          ? remedy(`raise_worker_timeout_to_${next}`, `give a worker ${next} s instead of ${limit}`, HARMLESS, [
              step(`let a worker take ${next} s`, 'set_env_override', {
                name: 'GUNICORN_CMD_ARGS',
                value: [withoutTimeout(c.env['GUNICORN_CMD_ARGS'] ?? ''), `--timeout ${next}`].filter((word) => word !== '').join(' '),
              }),
            ])
          : null,
        advice: advice(fact.subject, limit),
      }),
    ]);
  },
  guard: (g) => guardOfSteps('worker_timeout', g),
};

const TIMEOUT = /(?:^|\s)(?:-t|--timeout)[= ]?(\d{1,5})(?=\s|$)/;

function secondsIn(words: string): number | null {
  const found = TIMEOUT.exec(words)?.[1];
  return found === undefined ? null : Number(found);
}

function withoutTimeout(words: string): string {
  return words.replace(TIMEOUT, '').trim();
}

function advice(program: string, limit: number): readonly string[] {
  const more = program === 'php' ? 'raise max_execution_time for this script' : `start it with --timeout above ${limit}`;
  return ['find what takes so long: a request to another service without a limit of its own, or work that belongs into a job', more];
}
