import { approvalState, type Approval } from '../../domains/governance/index.ts';
import { reportedFailure, type BootRecord, type ReportedFailure } from '../../domains/boot/index.ts';
import {
  membersOf,
  type Explanation,
  type Failure,
  type GroupingRule,
  type Pattern,
  type SuggestedCommand,
} from '../../domains/incidents/index.ts';
import type { PlaybookRun, RegisteredPlaybook } from '../../domains/playbooks/index.ts';
import { formatDuration, type Signature } from '../../kernel/index.ts';
import type { Answer } from './answer.ts';
import { NotKnown } from './errors.ts';
import { findBoot } from './find.ts';
import { incidentNames, mergedWith, ruleJson, standingPattern, toldRule } from './grouping.ts';
import type { Memory } from './memory.ts';
import { tookMs } from './past-boots.ts';
import { commandLines } from './suggested-commands.ts';
import { columns, fitted, paint, wrap } from './terminal.ts';
import { count, iso, when } from './when.ts';

/** A crash loop leaves hundreds of the same; what is asked for is what they have in common. */
const EXPLANATIONS_MAX = 200;
/** How far back to look for a boot in which something failed. */
const BOOTS_MAX = 200;
const OUTPUT_LINES = 12;
/** On the terminal of a tired person; the rest is in the report and in `--json`. */
const SHOWN = { evidence: 3, changes: 4, advice: 3, alternatives: 2, commands: 4 } as const;
const SHOWN_HEALED = { evidence: 1, changes: 1, advice: 1, alternatives: 0, commands: 1 } as const;
const HEADLINE_EVIDENCE_CHARS = 120;
/** Of the words of an evidence, the share that the cause may have too. */
const REPEATED_SHARE = 0.6;
/** Runs of playbooks and failures told of an incident. */
const RUNS_SHOWN = 3;
const FAILURES_TOLD = 20;
const FAILURES_SHOWN = 5;

/** `grace explain`: what failed in a boot, or what is known of an incident. Without a name: the newest boot with failures. */
export async function explain(memory: Memory, subject: string | undefined): Promise<Answer> {
  if (subject === undefined) return explainNewest(memory);
  const boot = await findBoot(memory, subject);
  if (boot !== null) return explainBoot(memory, boot);
  const pattern = await standingPattern(memory, subject);
  if (pattern !== null) return explainIncident(memory, pattern);
  const failure = await memory.incidents.failure(subject);
  const itsPattern = failure === null ? null : await memory.incidents.pattern(failure.signature);
  if (itsPattern !== null) return explainIncident(memory, itsPattern);
  throw new NotKnown('boot or incident', subject, 'see the known ones with: grace boots; grace incidents');
}

async function explainNewest(memory: Memory): Promise<Answer> {
  const boots = await memory.boots.list(BOOTS_MAX);
  const last = boots[0];
  for (const boot of boots) {
    const answer = await explainBoot(memory, boot);
    if (!answer.hasFailures) continue;
    const since = last === undefined || last.id === boot.id ? [] : ['', `since then: ${nothingFailed(last, memory.nowMs)}`];
    return { ...answer, lines: [...answer.lines, ...since] };
  }
  // A service that uses the library has failures that belong to no boot.
  const newest = last === undefined ? (await knownIncidents(memory))[0] : undefined;
  if (newest !== undefined) {
    const answer = await explainIncident(memory, newest);
    return { ...answer, data: [answer.data] };
  }
  return { exitCode: 0, data: [], lines: [nothingFailed(last, memory.nowMs)] };
}

async function knownIncidents(memory: Memory): Promise<readonly Pattern[]> {
  return (await memory.incidents.patterns()).toSorted((a, b) => b.lastSeenMs - a.lastSeenMs);
}

async function explainBoot(memory: Memory, boot: BootRecord): Promise<Answer & { readonly hasFailures: boolean }> {
  const entries = await entriesOf(memory, boot);
  const broken = boot.report.stages.filter((s) => s.failure !== null);
  const data = entries.map(toJson);
  if (entries.length === 0 && broken.length === 0)
    return { exitCode: 0, data, lines: [nothingFailed(boot, memory.nowMs)], hasFailures: false };
  const groups = Map.groupBy(entries, (e) => e.explanation.signature);
  const shown = [...groups.values()].flatMap((group) => {
    const entry = group.at(-1);
    return entry === undefined ? [] : [{ entry, times: group.length, actions: actionsOf(group) }];
  });
  const first = shown.find(({ entry }) => !isSettled(entry)) ?? shown[0];
  const lines = [first === undefined ? brokenStage(broken[0]?.failure ?? '') : headline(first.entry), '', bootLine(boot, memory.nowMs)];
  for (const { entry, times, actions } of shown) lines.push('', ...describe(entry, times, actions));
  return { exitCode: 0, data, lines, hasFailures: true };
}

/** Everything that is known of one incident, and why Grace took it for one, chose what it chose, and stopped where it stopped. */
export async function explainIncident(memory: Memory, pattern: Pattern): Promise<Answer> {
  const { incidents, playbooks } = memory;
  const rules = await memory.groupingRules.list();
  const names = await incidentNames(memory);
  const members = [pattern.signature, ...membersOf(pattern.signature, rules)];
  const failures = (await Promise.all(members.map((s) => incidents.failuresLike(s, FAILURES_TOLD))))
    .flat()
    .toSorted((a, b) => b.atMs - a.atMs);
  const explanations = (await Promise.all(members.map((signature) => incidents.explanations({ signature, limit: FAILURES_TOLD }))))
    .flat()
    .toSorted((a, b) => b.atMs - a.atMs);
  const approvals = await memory.approvals.list();
  const newest = explanations[0] ?? (failures[0] === undefined ? undefined : unexplained(failures[0], pattern));
  const playbook = pattern.playbook === null ? null : await playbooks.get(pattern.playbook);
  const runs = (
    await playbooks.runsIn('running', 'applied', 'verified', 'relapsed', 'inconclusive', 'undoing', 'failed', 'undone', 'interrupted')
  )
    .filter((r) => members.some((s) => s === r.signature))
    .slice(-RUNS_SHOWN);
  // What was merged into it has another signature of its own.
  const own = failures.find((f) => (f.grouping?.own ?? f.signature) === pattern.signature) ?? failures[0];
  const output = failures[0]?.output.slice(-OUTPUT_LINES) ?? [];
  const entry = newest === undefined ? null : toEntry(newest, pattern, approvals, memory.nowMs);
  const why = {
    grouped: whyGrouped(pattern, own),
    playbook: entry === null ? [] : whyPlaybook(entry.explanation, playbook, runs),
    stopped: entry === null ? [] : whyStopped(entry, runs),
  };
  const deciding = rulesFor(pattern, failures[0], rules);
  const data = {
    ...(entry === null ? { incident: pattern.incidentId, component: pattern.component, cause: pattern.rootCause } : toJson(entry)),
    occurrences: pattern.occurrences,
    first_seen: iso(pattern.firstSeenMs),
    last_seen: iso(pattern.lastSeenMs),
    state: pattern.state,
    clean_boots: pattern.cleanBoots,
    signature: pattern.signature,
    stage: pattern.stage,
    template: pattern.template,
    playbook_file: playbook?.file ?? null,
    boots: [...new Set(explanations.map((e) => e.bootId))],
    grouping: {
      parts: Object.fromEntries((own?.signatureParts ?? []).map((part) => [part.name, part.value])),
      merged: mergedWith(pattern, await incidents.patterns(), rules),
      rules: deciding.map((rule) => ruleJson(rule, names)),
    },
    why,
    runs: runs.map((r) => ({
      id: r.id,
      playbook: r.playbook,
      boot: r.bootId,
      state: r.state,
      at: iso(r.startedAtMs),
      decision: r.decision,
    })),
    failures: failures
      .toReversed()
      .map((f) => ({ id: f.id, boot: f.bootId, at: iso(f.atMs), signature: f.grouping?.own ?? f.signature, message: f.message })),
    output,
  };
  const lines = [
    entry === null ? pattern.rootCause : headline(entry),
    '',
    `${paint('bold', pattern.incidentId)}  ${pattern.state}  ${count(pattern.occurrences, 'occurrence')}` +
      paint('dim', `, first ${when(pattern.firstSeenMs, memory.nowMs)}, last ${when(pattern.lastSeenMs, memory.nowMs)}`),
  ];
  if (entry !== null) lines.push('', ...describe(entry, 1, actionsOf([entry]), true));
  lines.push(
    '',
    paint('bold', 'why'),
    ...[
      field('one', [...why.grouped, ...deciding.map((rule) => toldRule(rule, names, memory.nowMs))]),
      field('playbook', playbook === null ? [] : [`${playbook.name}  ${paint('dim', playbook.file)}`]),
      field('this one', why.playbook),
      field('stopped', why.stopped),
    ].filter((line) => line !== ''),
  );
  lines.push(...seenLines(failures, names, memory.nowMs));
  if (output.length > 0) lines.push('', paint('bold', 'last output'), ...output.map((l) => `  ${paint('dim', l)}`));
  return { exitCode: 0, data, lines };
}

/** The last times it was seen, under the incident each had before somebody merged them. */
function seenLines(failures: readonly Failure[], names: ReadonlyMap<Signature, string>, nowMs: number): readonly string[] {
  if (failures.length < 2) return [];
  const rows = failures.slice(0, FAILURES_SHOWN).map((f) => {
    const own = f.grouping?.own ?? f.signature;
    return [`  ${when(f.atMs, nowMs)}`, f.bootId, f.id, names.get(own) ?? paint('dim', own), f.message];
  });
  return ['', paint('bold', 'seen'), fitted(rows)];
}

/** What all failures of a pattern have in common, in the words of the signature. */
function whyGrouped(pattern: Pattern, newest: Failure | undefined): readonly string[] {
  const parts = (newest?.signatureParts ?? []).filter((part) => part.value !== '' && part.name !== 'version');
  const told = parts.length === 0 ? pattern.template : parts.map((part) => `${part.name} ${part.value}`).join(', ');
  return [`signature ${pattern.signature}: ${told}`];
}

/** Rules that lead to this pattern, or away from its signature. */
function rulesFor(pattern: Pattern, newest: Failure | undefined, rules: readonly GroupingRule[]): readonly GroupingRule[] {
  const alike = new Set<string>([pattern.signature, ...membersOf(pattern.signature, rules)]);
  const followed = new Set(newest?.grouping?.rules);
  return rules.filter(
    (r) => r.takenBack === null && (alike.has(r.signature) || (r.kind === 'merge' && alike.has(r.into)) || followed.has(r.id)),
  );
}

/** Why this playbook and not another: how sure its family was, what stood against it, and what allowed it. */
function whyPlaybook(e: Explanation, playbook: RegisteredPlaybook | null, runs: readonly PlaybookRun[]): readonly string[] {
  if (playbook === null || e.playbook === null) return [];
  const origin = playbook.origin === 'written' || playbook.origin === 'edited';
  const decision = runs.findLast((r) => r.playbook === e.playbook)?.decision;
  return [
    origin
      ? `a person ${playbook.origin === 'written' ? 'wrote' : 'edited'} it for this failure: that wins over what Grace would write`
      : `${e.familyName ?? 'its family'} explains the failure best (${Math.round(e.confidence * 100)} % sure)` +
        (e.alternatives[0] === undefined ? ', and nothing else explains it' : `; next: ${e.alternatives[0]}`),
    ...(decision === undefined ? [] : [decision]),
    ...runs.map((r) => `${r.playbook} in ${r.bootId}: ${VERIFICATION[r.state]}`),
  ];
}

/** What became of a run, and what its verification said. */
const VERIFICATION: Readonly<Record<PlaybookRun['state'], string>> = {
  running: 'it runs, or was cut off',
  applied: 'it ran, and is not verified yet',
  verified: 'pass: the failure was gone, and stayed away',
  relapsed: 'fail: the failure came back soon after it had seemed to help',
  inconclusive: 'inconclusive: it ran, and nothing could tell whether it helped; the next boot proves it, or takes it back',
  undoing: 'fail: it is being taken back',
  undone: 'fail: it did not help, and was taken back',
  failed: 'fail: it could not be put back as a whole: look at it before anything else',
  refused: 'it changed nothing',
  interrupted: 'Grace ended in the middle of it, and it was taken back',
};

/** Why nothing more was done; nothing to say where it was healed. */
function whyStopped({ explanation: e }: Entry, runs: readonly PlaybookRun[]): readonly string[] {
  switch (e.outcome) {
    case 'healed':
      return [];
    case 'open':
      return runs.some((r) => r.bootId === e.bootId) || e.action === ''
        ? ['it was cut off, or the fix has not proven itself yet']
        : [e.action];
    case 'not_healed':
    case 'waiting':
    case 'needs_approval':
    case 'observed':
      return e.action === '' ? [] : [e.action];
  }
}

/** An explanation with what is needed to show it. */
interface Entry {
  readonly explanation: Explanation;
  readonly incident: string;
  readonly nextStep: string;
}

/** Oldest first: what failed first is often why the rest did. */
async function entriesOf(memory: Memory, boot: BootRecord): Promise<readonly Entry[]> {
  const { incidents } = memory;
  const explanations = await incidents.explanations({ bootId: boot.id, limit: EXPLANATIONS_MAX });
  const failures = await incidents.failuresOf(boot.id);
  const approvals = await memory.approvals.list();
  const patterns = new Map((await incidents.patterns()).map((p) => [p.signature, p]));
  const explained = new Set(explanations.map((e) => e.failureId));
  // Captured but not explained: Grace was cut off between the two.
  const bare = failures
    .filter((f) => !explained.has(f.id))
    .slice(-EXPLANATIONS_MAX)
    .map((f) => unexplained(f, patterns.get(f.signature)));
  return [...explanations, ...bare]
    .toSorted((a, b) => a.atMs - b.atMs)
    .map((e) => toEntry(e, patterns.get(e.signature), approvals, memory.nowMs));
}

function toEntry(explanation: Explanation, pattern: Pattern | undefined, approvals: readonly Approval[], nowMs: number): Entry {
  const incident = pattern?.incidentId ?? '';
  // newest first, so that an answer given to an earlier request does not stand for this one
  const approval = approvals.find((a) => a.incidentId === incident && a.component === explanation.component);
  const isPending = approval !== undefined && approvalState(approval, nowMs) === 'pending';
  // What was asked for is answered, or nobody can answer it any more.
  const commands = (explanation.commands ?? []).filter(({ command }) => isPending || !command.startsWith('grace approvals '));
  return { explanation: { ...explanation, commands }, incident, nextStep: nextStepOf(explanation, incident, approval, nowMs) };
}

function nextStepOf(e: Explanation, incident: string, approval: Approval | undefined, nowMs: number): string {
  switch (e.outcome) {
    case 'healed':
      return e.playbook === null ? `Grace started it again; ${e.advice[0] ?? 'nothing to do'}` : `fixed by ${e.playbook}; nothing to do`;
    case 'needs_approval':
      return approval === undefined ? 'start it again to ask for approval anew' : afterAsking(approval, e, nowMs);
    case 'observed':
      return `${e.playbook ?? 'the fix'} is ready: let Grace run it with SELF_HEAL_EXECUTE=true${e.advice[0] === undefined ? '' : `, or ${e.advice[0]}`}`;
    case 'open':
    case 'not_healed':
    case 'waiting':
      return e.advice[0] ?? `read its output: grace explain ${incident}`;
  }
}

function afterAsking(approval: Approval, e: Explanation, nowMs: number): string {
  switch (approvalState(approval, nowMs)) {
    case 'pending':
      return `approve the fix with: grace approvals approve ${approval.id}`;
    case 'approved':
      return `${approval.playbook} is approved: it runs at the next start`;
    case 'rejected':
      return e.advice[0] ?? `${approval.rejectedBy ?? 'somebody'} rejected ${approval.playbook}: mend it by hand`;
    case 'used':
    case 'expired':
      return `what was asked for ${approvalState(approval, nowMs) === 'used' ? 'has run' : 'has ended'}: start it again to ask for approval anew`;
  }
}

function isSettled(entry: Entry): boolean {
  return entry.explanation.outcome === 'healed';
}

function unexplained(failure: Failure, pattern: Pattern | undefined): Explanation {
  return {
    failureId: failure.id,
    signature: failure.signature,
    bootId: failure.bootId,
    atMs: failure.atMs,
    component: failure.component,
    what: failure.message,
    cause: pattern?.rootCause || failure.headline || failure.message,
    familyName: pattern?.familyName ?? null,
    confidence: 0,
    evidence: failure.output.slice(-3),
    changes: [],
    action: '',
    playbook: null,
    risk: null,
    outcome: 'open',
    advice: [],
    alternatives: [],
  };
}

function toJson({ explanation, incident }: Entry): ReportedFailure {
  return reportedFailure(explanation, incident);
}

/** What was tried, in order, each once. */
function actionsOf(group: readonly Entry[]): readonly string[] {
  return [...new Set(group.map((e) => e.explanation.action).filter((action) => action !== ''))];
}

const OUTCOME: Readonly<Record<Explanation['outcome'], () => string>> = {
  healed: () => paint('green', 'healed, and verified'),
  open: () => paint('yellow', 'open'),
  not_healed: () => paint('red', 'not healed'),
  waiting: () => paint('yellow', 'waits for somebody, or for its cause to go away'),
  needs_approval: () => paint('yellow', 'waits for approval'),
  observed: () => paint('cyan', 'only observed'),
};

/** Cause, evidence, next step: all that a tired person has to read. */
function headline(entry: Entry): string {
  const { explanation: e, nextStep } = entry;
  const style = isSettled(entry) ? 'green' : 'red';
  const evidence = isSettled(entry) ? '' : (e.evidence.find((line) => saysMore(line, e.cause)) ?? '');
  const shown = evidence.length > HEADLINE_EVIDENCE_CHARS ? `${evidence.slice(0, HEADLINE_EVIDENCE_CHARS)}…` : evidence;
  return oneLine(
    `${paint(style, `${e.component}: ${e.cause}`)}${shown === '' ? '' : paint('dim', ` (${shown})`)}. ${paint('bold', sentence(nextStep))}`,
  );
}

/** Evidence that only says the cause again is not worth the room in the first line. */
function saysMore(evidence: string, cause: string): boolean {
  const words = evidence.split(/[^\p{L}\p{N}_./-]+/u).filter((word) => word.length > 3);
  return words.length > 0 && words.filter((word) => cause.includes(word)).length < words.length * REPEATED_SHARE;
}

function brokenStage(failure: string): string {
  return oneLine(`${paint('red', failure)}. ${paint('bold', 'See the log of Grace beside its data.')}`);
}

/** The first line stays one line where no person looks: `grace explain | head -1` is the whole answer. */
function oneLine(text: string): string {
  return process.stdout.isTTY ? wrap(text, columns(), '') : text;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function describe({ explanation: e, incident }: Entry, times: number, actions: readonly string[], whole = false): readonly string[] {
  const sure = e.confidence > 0 ? `, ${Math.round(e.confidence * 100)} % sure` : '';
  // What is over needs fewer words.
  const limits = e.outcome === 'healed' ? SHOWN_HEALED : SHOWN;
  const some = (values: readonly string[], limit: number): readonly string[] =>
    whole || values.length <= limit
      ? values
      : [...values.slice(0, limit), paint('dim', `${values.length - limit} more: grace explain ${incident}`)];
  const alternatives = e.alternatives.filter((text) => whole || !text.startsWith('unexplained '));
  return [
    `${paint('bold', e.component)}: ${wrap(e.what, columns() - e.component.length - 2, '  ')}`,
    field(
      'incident',
      incident === ''
        ? []
        : [`${incident} ${paint('dim', `(${e.familyName ?? 'unexplained'}${sure})${times > 1 ? `, ${times} times` : ''}`)}`],
    ),
    field('cause', [e.cause]),
    field('evidence', some(e.evidence, limits.evidence)),
    field('changed', some(e.changes, limits.changes)),
    field('Grace', actions),
    field('outcome', [e.outcome === 'healed' && e.playbook === null ? paint('yellow', 'started again, and ready') : OUTCOME[e.outcome]()]),
    field('you can', e.outcome === 'healed' && e.playbook !== null ? [] : some(e.advice, limits.advice)),
    runLines(e.commands ?? [], whole ? Number.POSITIVE_INFINITY : limits.commands),
    field('or else', limits.alternatives === 0 && !whole ? [] : some(alternatives, limits.alternatives)),
  ].filter((line) => line !== '');
}

/** The commands under their label. */
function runLines(commands: readonly SuggestedCommand[], limit: number): string {
  return commandLines(commands.slice(0, limit), columns() - LABEL_WIDTH - 2)
    .map((line, i) => `  ${paint('dim', (i === 0 ? 'run' : '').padEnd(LABEL_WIDTH))}${line}`)
    .join('\n');
}

const LABEL_WIDTH = 10;

/** A label and its values, one below the other; nothing when there is none. */
function field(label: string, values: readonly string[]): string {
  const indent = ' '.repeat(LABEL_WIDTH + 2);
  return values
    .flatMap((value) => value.split('\n'))
    .map((value, i) => `  ${paint('dim', (i === 0 ? label : '').padEnd(LABEL_WIDTH))}${wrap(value, columns() - LABEL_WIDTH - 2, indent)}`)
    .join('\n');
}

function bootLine(boot: BootRecord, nowMs: number): string {
  return paint(
    'dim',
    `${boot.id}, ${when(boot.startedAtMs, nowMs)}: ${boot.outcome}${boot.isVerified ? ', verified' : ''} after ${formatDuration(tookMs(boot))}`,
  );
}

function nothingFailed(boot: BootRecord | undefined, nowMs: number): string {
  return `${paint('green', 'nothing failed')}${boot === undefined ? '' : paint('dim', ` in ${boot.id} (${when(boot.startedAtMs, nowMs)}, ${boot.outcome})`)}`;
}
