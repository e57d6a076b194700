import { nodeIds } from '../../adapters/node/ids.ts';
import { lockHolder } from '../../adapters/node/instance-lock.ts';
import { fallbackFrom, modeInForce, type Mode, type ModeChange } from '../../domains/governance/index.ts';
import { Redactor } from '../../domains/incidents/index.ts';
import { formatDuration } from '../../kernel/index.ts';
import type { Answer } from './answer.ts';
import type { AskPolicies } from './ask-policies.ts';
import type { Memory } from './memory.ts';
import { fitted, paint, table } from './terminal.ts';
import { iso, when } from './when.ts';

/** Changes shown; the others are in `grace policy decisions`. */
const HISTORY_SHOWN = 10;

const MEANS: Readonly<Record<Mode, string>> = {
  normal: 'Grace acts as the policies say',
  read_only: 'nothing that changes data, files or settings is run; restarts are',
  observation_only: 'Grace only says what it would do, also at boot',
  emergency: 'a person has to agree to every change',
};

/** `grace mode`: the one in force, since when, who set it, why, and those before. */
export async function showMode(memory: Memory): Promise<Answer> {
  const history = await memory.modes.history(HISTORY_SHOWN);
  const now = modeInForce(history[0] ?? null, memory.nowMs);
  const { mode, sinceMs, by, reason, untilMs } = now;
  return {
    exitCode: 0,
    data: {
      mode,
      means: MEANS[mode],
      since: sinceMs === null ? null : iso(sinceMs),
      by,
      reason,
      until: untilMs === null ? null : iso(untilMs),
      history: history.map(modeJson),
    },
    lines: [
      `${paint('bold', mode)}  ${MEANS[mode]}`,
      ...(sinceMs === null
        ? []
        : [
            '',
            table([
              ['  since', `${when(sinceMs, memory.nowMs)}, by ${by}`],
              ['  reason', reason],
              ...(untilMs === null ? [] : [['  until', `${when(untilMs, memory.nowMs)}, then ${history[0]?.fallback ?? 'normal'}`]]),
            ]),
            '',
            fitted([
              ['when', 'mode', 'by', 'for', 'reason'].map((title) => paint('dim', title)),
              ...history.map((c) => [when(c.atMs, memory.nowMs), c.mode, nameOf(c), timeOf(c), c.reason]),
            ]),
          ]),
    ],
  };
}

export interface ModeAsked {
  readonly to: Mode;
  readonly reason: string;
  /** Null: until somebody sets another. */
  readonly forMs: number | null;
  readonly by: string;
  readonly claimedName: string | null;
}

/** `grace mode set`: decided by the policies in force, recorded, and then set. @throws ActionRefused, ConfigInvalid */
export async function setMode(memory: Memory, asked: ModeAsked, ask: AskPolicies): Promise<Answer> {
  const { to, forMs, by, claimedName } = asked;
  const redactor = new Redactor();
  redactor.learnEnvironment(process.env);
  const reason = redactor.redact(asked.reason);
  const [latest = null] = await memory.modes.history(1);
  const before = modeInForce(latest, memory.nowMs);
  const decision = await ask({
    request: (about) => ({ action: 'set_mode', ...about, to }),
    what: `the mode ${to}`,
    occasion: `${before.change ?? ''} ${before.mode}`, // agreed to once: to leave what is in force now
    summary: [`set the mode from ${before.mode} to ${to}${forMs === null ? '' : ` for ${formatDuration(forMs)}`}: ${reason}`],
  });
  const change: ModeChange = {
    id: nodeIds.next('mo'),
    mode: to,
    atMs: memory.nowMs,
    by,
    claimedName,
    reason,
    untilMs: forMs === null ? null : memory.nowMs + forMs,
    fallback: fallbackFrom(latest, memory.nowMs),
  };
  await memory.modes.append(change);
  const holder = lockHolder(memory.dataDir);
  return {
    exitCode: 0,
    data: { ...modeJson(change), before: before.mode, decision: decision.reason },
    lines: [
      `the mode is ${paint('bold', to)}${before.mode === to ? '' : `, no longer ${before.mode}`}: ${MEANS[to]}`,
      ...(change.untilMs === null ? [] : [`  until ${when(change.untilMs, memory.nowMs)}, then ${change.fallback}`]),
      holder === null ? '  no Grace runs here: it holds from the next grace up on' : `  Grace (pid ${holder.pid}) goes by it from now on`,
    ],
  };
}

function modeJson(c: ModeChange): Readonly<Record<string, unknown>> {
  return {
    mode: c.mode,
    at: iso(c.atMs),
    by: c.by,
    claimed_name: c.claimedName,
    reason: c.reason,
    until: c.untilMs === null ? null : iso(c.untilMs),
    fallback: c.untilMs === null ? null : c.fallback,
  };
}

function nameOf({ by, claimedName }: ModeChange): string {
  return claimedName === null || claimedName === by ? by : `${by}, who says to be ${claimedName}`;
}

function timeOf({ untilMs, atMs }: ModeChange): string {
  return untilMs === null ? '' : formatDuration(untilMs - atMs);
}
