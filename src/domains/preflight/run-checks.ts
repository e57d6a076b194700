import { messageOf, type Clock, type Logger } from '../../kernel/index.ts';
import type { Check, CheckAnswer, CheckContext, CheckReport } from './check.ts';
import type { Finding, Severity } from './finding.ts';

/** More at once only wait for each other: most of them read files. */
const AT_ONCE_MAX = 4;
/** Of one check; who has more to mend sees the rest after mending these. */
const FINDINGS_MAX = 20;
const TEXT_CHARS_MAX = 300;
const EVIDENCE_MAX = 5;

/** Answers of earlier boots. Texts are kept as a keyed digest, so that nobody learns from it what they said. */
export interface CheckMemory {
  recall(check: string, inputs: string): Promise<readonly Finding[] | null>;
  keep(check: string, inputs: string, findings: readonly Finding[]): Promise<void>;
}

/**
 * Runs checks side by side. One that hangs or throws costs its time limit and one finding; what a check returns is cut to what a
 * report can hold.
 * @returns a report for each check that had something to look at, in the order given
 * @throws the reason of the signal, when it is aborted
 */
export async function runChecks(
  checks: readonly Check[],
  context: CheckContext,
  ports: { readonly clock: Clock; readonly logger: Logger; readonly memory: CheckMemory },
): Promise<readonly CheckReport[]> {
  const wanted = checks.filter((check) => !context.settings.skip.includes(check.name));
  const reports: (CheckReport | null)[] = [];
  // What may take longest begins first, and the rest runs beside it.
  const turns = [...wanted.entries()].toSorted(([, a], [, b]) => b.timeLimitMs - a.timeLimitMs).values();
  const work = async (): Promise<void> => {
    for (const [at, check] of turns) reports[at] = await runOne(check, context, ports);
  };
  await Promise.all(Array.from({ length: AT_ONCE_MAX }, work));
  context.signal.throwIfAborted();
  return reports.filter((report) => report !== null);
}

async function runOne(
  check: Check,
  context: CheckContext,
  { clock, logger, memory }: Parameters<typeof runChecks>[2],
): Promise<CheckReport | null> {
  const startedMs = clock.monotonicMs();
  const timeIsUp = new AbortController();
  const isOver = new AbortController();
  const signal = AbortSignal.any([context.signal, timeIsUp.signal]);
  const own: CheckContext = { ...context, signal };
  const look = async (): Promise<Outcome | null> => {
    if (!(await check.isNeeded(own))) return null;
    const inputs = await check.inputs?.(own);
    const known = inputs === undefined ? null : await memory.recall(check.name, inputs);
    if (known !== null) return { isRemembered: true, couldLook: known.length < FINDINGS_MAX, findings: known };
    const answer = await check.run(own);
    const { findings: all, summary, figures, unseen = [] }: CheckAnswer = 'findings' in answer ? answer : { findings: answer };
    const findings = bounded(all, check);
    if (inputs !== undefined && !signal.aborted && unseen.length === 0) await memory.keep(check.name, inputs, findings);
    return {
      isRemembered: false,
      couldLook: all.length <= FINDINGS_MAX,
      findings,
      ...(unseen.length === 0 ? {} : { unseen }),
      ...(summary === undefined ? {} : { summary: cut(summary) }),
      ...(figures === undefined ? {} : { figures }),
    };
  };
  const limit = clock.sleep(check.timeLimitMs, AbortSignal.any([context.signal, isOver.signal])).then(
    () => {
      timeIsUp.abort(new Error('its time is over'));
      return 'time is up' as const;
    },
    () => 'stopped' as const,
  );
  let outcome: Outcome | null;
  try {
    const first = await Promise.race([look(), limit]);
    outcome =
      first === 'time is up'
        ? broken(check, 'check_timed_out', `the check "${check.name}" took more than ${check.timeLimitMs} ms, and was ended`)
        : first === 'stopped'
          ? null
          : first;
  } catch (error) {
    logger.warn(`the check ${check.name} broke`, { error: cut(messageOf(error)) });
    outcome = broken(check, 'check_broke', `the check "${check.name}" could not look: ${messageOf(error)}`);
  } finally {
    isOver.abort();
  }
  if (outcome === null) return null;
  const durationMs = Math.round((clock.monotonicMs() - startedMs) * 10) / 10;
  return { name: check.name, title: check.title, when: check.when, durationMs, ...outcome };
}

type Outcome = Omit<CheckReport, 'name' | 'title' | 'when' | 'durationMs'>;

function broken(check: Check, code: string, message: string) {
  const severity: Severity = check.severityWhenBroken ?? 'warn';
  const hint = `see grace.log; preflight.skip: ['${check.name}'] leaves it out`;
  const found: Finding = { severity, code, component: 'grace', message, evidence: [], hint, fix: null };
  return { isRemembered: false, couldLook: false, findings: bounded([found], check) };
}

/** Errors first, so that what is left out is the least. */
function bounded(findings: readonly Finding[], check: Check): readonly Finding[] {
  const rank = { error: 0, warn: 1, info: 2 };
  const sorted = findings.toSorted((a, b) => rank[a.severity] - rank[b.severity]);
  const kept = sorted.slice(0, FINDINGS_MAX).map((found) => ({
    ...found,
    message: cut(found.message),
    hint: cut(found.hint),
    evidence: found.evidence.slice(0, EVIDENCE_MAX).map(cut),
  }));
  const left = sorted.length - kept.length;
  const last = kept.at(-1);
  if (left === 0 || last === undefined) return kept;
  return [...kept.slice(0, -1), { ...last, evidence: [...last.evidence, `${left} more of the check "${check.name}" are not shown`] }];
}

/** One line, without what a terminal would obey. */
function cut(text: string): string {
  // A little more than is kept, so that a long text is not walked to its end.
  // oxlint-disable-next-line no-control-regex -- these are what is taken out
  const line = text.slice(0, TEXT_CHARS_MAX * 2).replace(/[\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E]+/g, ' ');
  return line.length > TEXT_CHARS_MAX ? `${line.slice(0, TEXT_CHARS_MAX - 1)}…` : line;
}
