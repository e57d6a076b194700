import { nodeClock } from '../../adapters/node/clock.ts';
import { nodeIds } from '../../adapters/node/ids.ts';
import { lockHolder } from '../../adapters/node/instance-lock.ts';
import { isOpenRequest, type PersonRequest } from '../../domains/governance/index.ts';
import { Redactor } from '../../domains/incidents/index.ts';
import type { Answer } from './answer.ts';
import { NoGraceRuns } from './errors.ts';
import { NOBODY_ELSE } from './four-eyes.ts';
import type { Memory } from './memory.ts';
import { paint } from './terminal.ts';

export interface RestartAsked {
  readonly component: string;
  readonly reason: string;
  readonly by: string;
  readonly claimedName: string | null;
  /** False: do not stay until another person has agreed. */
  readonly waitsForApproval: boolean;
}

/** Between two looks at how it stands. */
const LOOK_MS = 200;
/** A Grace that runs looks once a second; one that has not looked by now does not. */
const TAKEN_UP_MS_MAX = 20_000;

/**
 * `grace restart`: left in the store for the Grace that runs, which decides, does it and says how it went.
 * @param progress  said while it is waited for
 * @throws NoGraceRuns
 */
export async function restart(memory: Memory, asked: RestartAsked, progress: (line: string) => void): Promise<Answer> {
  if (lockHolder(memory.dataDir) === null) throw new NoGraceRuns(memory.dataDir, `restart ${asked.component}`);
  const redactor = new Redactor();
  redactor.learnEnvironment(process.env);
  const request: PersonRequest = {
    id: nodeIds.next('rq'),
    action: 'restart_component',
    component: asked.component,
    by: asked.by,
    claimedName: asked.claimedName,
    reason: redactor.redact(asked.reason),
    askedAtMs: nodeClock.nowMs(),
    state: 'asked',
    approval: null,
    detail: '',
  };
  await memory.requests.add(request);
  const startedMs = nodeClock.monotonicMs();
  let seen: PersonRequest = request;
  for (;;) {
    await nodeClock.sleep(LOOK_MS);
    const now = await memory.requests.get(request.id);
    if (now === null) throw new TypeError(`request ${request.id} is gone`);
    if (now.state !== seen.state) for (const line of progressOf(now)) progress(line);
    seen = now;
    if (!isOpenRequest(now)) return answerOf(now);
    if (now.state === 'waiting' && !asked.waitsForApproval) return answerOf(now);
    const isLate = now.state === 'asked' && nodeClock.monotonicMs() - startedMs > TAKEN_UP_MS_MAX;
    if (!isLate && lockHolder(memory.dataDir) !== null) continue;
    const detail = isLate ? 'Grace did not take it up; is it stopped, or busy?' : 'Grace ended before it was done';
    if (await memory.requests.move(now.id, now.state, { state: 'withdrawn', detail, approval: now.approval }))
      return answerOf({ ...now, state: 'withdrawn', detail });
  }
}

function progressOf(r: PersonRequest): readonly string[] {
  if (r.state === 'running') return [`restarting ${r.component}`];
  if (r.state === 'waiting')
    return [
      `${paint('yellow', 'waits')} ${r.detail}`,
      `  another person: grace approvals approve ${r.approval ?? ''}`,
      '  it is done when they have, also when you leave (Ctrl-C)',
      `  ${NOBODY_ELSE}`,
    ];
  return [];
}

function answerOf(r: PersonRequest): Answer {
  const isDone = r.state === 'done';
  return {
    exitCode: isDone ? 0 : 1,
    data: { id: r.id, component: r.component, state: r.state, detail: r.detail, approval: r.approval, by: r.by, reason: r.reason },
    lines: r.state === 'waiting' ? [] : [`${paint(isDone ? 'green' : 'red', isDone ? 'done' : r.state)}  ${r.detail}`],
  };
}
