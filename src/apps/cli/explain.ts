import { approvalState, type Approval } from '../../domains/governance/index.ts';
import type { BootRecord } from '../../domains/boot/index.ts';
import type { Explanation, Failure, Pattern } from '../../domains/incidents/index.ts';
import { formatDuration } from '../../kernel/index.ts';
import type { Answer } from './answer.ts';
import { NotKnown } from './errors.ts';
import { findBoot } from './find.ts';
import type { Memory } from './memory.ts';
import { tookMs } from './past-boots.ts';
import { columns, paint, wrap } from './terminal.ts';
import { count, iso, when } from './when.ts';

/** A crash loop leaves hundreds of the same; what is asked for is what they have in common. */
const EXPLANATIONS_MAX = 200;
/** How far back to look for a boot in which something failed. */
const BOOTS_MAX = 200;
const OUTPUT_LINES = 12;

/** `grace explain`: what failed in a boot, or what is known of an incident. Without a name: the newest boot with failures. */
export async function explain(memory: Memory, subject: string | undefined): Promise<Answer> {
  if (subject === undefined) return explainNewest(memory);
  const boot = await findBoot(memory, subject);
  if (boot !== null) return explainBoot(memory, boot);
  const pattern = await memory.incidents.patternByIncident(subject);
  if (pattern !== null) return explainIncident(memory, pattern);
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
  return { exitCode: 0, data: [], lines: [nothingFailed(last, memory.nowMs)] };
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

/** Everything that is known of one incident. */
export async function explainIncident(memory: Memory, pattern: Pattern): Promise<Answer> {
  const { incidents, playbooks } = memory;
  const failures = await incidents.failuresLike(pattern.signature, 20);
  const explanations = await incidents.explanations({ signature: pattern.signature, limit: 20 });
  const approvals = await memory.approvals.list();
  const newest = explanations[0] ?? (failures[0] === undefined ? undefined : unexplained(failures[0], pattern));
  const playbook = pattern.playbook === null ? null : await playbooks.get(pattern.playbook);
  const output = failures[0]?.output.slice(-OUTPUT_LINES) ?? [];
  const entry = newest === undefined ? null : toEntry(newest, pattern, approvals, memory.nowMs);
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
    output,
  };
  const lines = [
    entry === null ? pattern.rootCause : headline(entry),
    '',
    `${paint('bold', pattern.incidentId)}  ${pattern.state}  ${count(pattern.occurrences, 'occurrence')}` +
      paint('dim', `, first ${when(pattern.firstSeenMs, memory.nowMs)}, last ${when(pattern.lastSeenMs, memory.nowMs)}`),
  ];
  if (entry !== null) lines.push('', ...describe(entry, 1, actionsOf([entry])));
  if (playbook !== null) lines.push(field('playbook', [`${playbook.name}  ${paint('dim', playbook.file)}`]));
  if (output.length > 0) lines.push('', paint('bold', 'last output'), ...output.map((l) => `  ${paint('dim', l)}`));
  return { exitCode: 0, data, lines };
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
  return { explanation, incident, nextStep: nextStepOf(explanation, incident, approval, nowMs) };
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
    case 'expired':
      return 'nobody answered in time: start it again to ask for approval anew';
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

function toJson({ explanation: e, incident }: Entry): Readonly<Record<string, unknown>> {
  return {
    incident,
    component: e.component,
    class: e.familyName ?? 'unexplained',
    what: e.what,
    cause: e.cause,
    confidence: e.confidence,
    evidence: e.evidence,
    changes: e.changes,
    action: e.action,
    playbook: e.playbook,
    risk: e.risk,
    verified: e.outcome === 'healed',
    outcome: e.outcome,
    advice: e.advice,
    alternatives: e.alternatives,
    boot: e.bootId,
    at: iso(e.atMs),
  };
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

function headline(entry: Entry): string {
  const { explanation: e, nextStep } = entry;
  const style = isSettled(entry) ? 'green' : 'red';
  return oneLine(`${paint(style, `${e.component}: ${e.cause}`)}. ${paint('bold', sentence(nextStep))}`);
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

function describe({ explanation: e, incident }: Entry, times: number, actions: readonly string[]): readonly string[] {
  const sure = e.confidence > 0 ? `, ${Math.round(e.confidence * 100)} % sure` : '';
  return [
    `${paint('bold', e.component)}: ${wrap(e.what, columns() - e.component.length - 2, '  ')}` +
      paint('dim', `  ${incident} (${e.familyName ?? 'unexplained'}${sure})${times > 1 ? `, ${times} times` : ''}`),
    field('cause', [e.cause]),
    field('evidence', e.evidence),
    field('changed', e.changes),
    field('Grace', actions),
    field('outcome', [OUTCOME[e.outcome]()]),
    field('you can', e.outcome === 'healed' && e.playbook !== null ? [] : e.advice),
    field('or else', e.alternatives),
  ].filter((line) => line !== '');
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
