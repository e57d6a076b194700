import { nodeIds } from '../../adapters/node/ids.ts';
import {
  GroupingRefused,
  membersOf,
  mergedInto,
  mergePatterns,
  partOf,
  Redactor,
  SPLIT_PARTS,
  splitPattern,
  takeBackRule,
  type GroupingRule,
  type Pattern,
  type SplitPart,
} from '../../domains/incidents/index.ts';
import type { Signature } from '../../kernel/index.ts';
import { actorOf } from '../../runtime/audit.ts';
import type { Answer } from './answer.ts';
import { NotKnown } from './errors.ts';
import type { Memory } from './memory.ts';
import { fitted, paint } from './terminal.ts';
import { count, iso, when } from './when.ts';

/** Whose decision it is: the user it runs as, and what they call themselves, which counts for nothing. */
export interface Decider {
  readonly by: string;
  readonly claimedName?: string;
}

/** With why: all of it is stored with the rule. */
export interface Deciding extends Decider {
  readonly reason: string;
}

/** Of the failures that are kept, as many as tell how a split would fall. */
const FAILURES_LOOKED_AT = 50;

/** `grace patterns merge A B`: from now on both count as one. @throws GroupingRefused, NotKnown */
export async function mergeIncidents(memory: Memory, ids: readonly [string, string], into: string, given: Deciding): Promise<Answer> {
  const [a, b] = [await thePattern(memory, ids[0]), await thePattern(memory, ids[1])];
  const target = into === b.incidentId ? b : a;
  if (into !== target.incidentId)
    throw new GroupingRefused(`--into names ${into}, which is none of the two`, `say ${a.incidentId} or ${b.incidentId}`);
  const from = target === a ? b : a;
  const merged = mergePatterns(from, target, await memory.groupingRules.list(), decisionOf(memory, given));
  await memory.groupingRules.save(merged.rule, [merged.into]);
  return {
    exitCode: 0,
    data: ruleJson(merged.rule, await incidentNames(memory)),
    lines: [
      `${paint('green', 'merged')} ${from.incidentId} into ${target.incidentId} by ${nameOfPerson(given)}: ${count(merged.into.occurrences, 'occurrence')} together`,
      `new failures of either count on ${target.incidentId}, and playbooks for one are for both`,
      paint('dim', `take it back with: grace patterns unrule ${merged.rule.id}`),
    ],
  };
}

/** `grace patterns split INCIDENT --by PART`: from now on failures that differ in it are apart. @throws GroupingRefused, NotKnown */
export async function splitIncident(memory: Memory, id: string, by: string, given: Deciding): Promise<Answer> {
  const pattern = await thePattern(memory, id);
  const part = SPLIT_PARTS.find((p) => p === by);
  if (part === undefined) throw new GroupingRefused(`a split cannot go by "${by}"`, `it goes by one of: ${SPLIT_PARTS.join(', ')}`);
  const failures = await memory.incidents.failuresLike(pattern.signature, FAILURES_LOOKED_AT);
  const rule = splitPattern(pattern, part, failures, await memory.groupingRules.list(), decisionOf(memory, given));
  await memory.groupingRules.save(rule, []);
  const shares = [...Map.groupBy(failures, (f) => partOf(f, part))].map(([value, all]) => ({ value, failures: all.length }));
  return {
    exitCode: 0,
    data: { ...ruleJson(rule, await incidentNames(memory)), so_far: shares },
    lines: [
      `${paint('green', 'split')} ${pattern.incidentId} by ${part}, decided by ${nameOfPerson(given)}`,
      `the ${count(failures.length, 'kept failure')} would have been ${shares.length} incidents:`,
      ...shares.map(({ value, failures: n }) => `  ${String(n).padStart(3)}x  ${value === '' ? '(nothing)' : value}`),
      `new failures open an incident of their own for each ${part}; ${pattern.incidentId} keeps what it has seen`,
      paint('dim', `take it back with: grace patterns unrule ${rule.id}`),
    ],
  };
}

/** `grace patterns rules`: what people decided about which failures are one. */
export async function listRules(memory: Memory): Promise<Answer> {
  const rules = await memory.groupingRules.list();
  const names = await incidentNames(memory);
  return {
    exitCode: 0,
    data: rules.map((rule) => ruleJson(rule, names)),
    lines:
      rules.length === 0
        ? ['no rules: failures are told apart by their signatures alone']
        : [
            fitted([
              ['rule', 'does', 'by', 'when', 'state', 'reason'].map((title) => paint('dim', title)),
              ...rules.map((rule) => [
                rule.id,
                doesWhat(rule, names),
                nameOfPerson(rule),
                when(rule.atMs, memory.nowMs),
                rule.takenBack === null ? 'stands' : paint('dim', `taken back by ${nameOfPerson(rule.takenBack)}`),
                rule.reason,
              ]),
            ]),
          ],
  };
}

/** `grace patterns unrule ID`. @throws GroupingRefused, NotKnown */
export async function takeRuleBack(memory: Memory, id: string, decider: Decider): Promise<Answer> {
  const rules = await memory.groupingRules.list();
  const rule = rules.find((r) => r.id === id);
  if (rule === undefined) throw new NotKnown('rule', id, 'see the known ones with: grace patterns rules');
  const back = takeBackRule(rule, await memory.incidents.patterns(), rules, { ...personOf(decider), atMs: memory.nowMs });
  await memory.groupingRules.save(back.rule, back.changed);
  const names = await incidentNames(memory);
  return {
    exitCode: 0,
    data: ruleJson(back.rule, names),
    lines: [`${paint('yellow', 'taken back')} by ${nameOfPerson(decider)}: ${doesWhat(rule, names)}`, nowThat(rule, names)],
  };
}

function nowThat(rule: GroupingRule, names: Names): string {
  const name = nameOf(rule.signature, names);
  return rule.kind === 'merge'
    ? `${name} stands for itself again, with everything it has counted`
    : `new failures count on ${name} again; the incidents that the split opened keep what they have seen`;
}

type Names = ReadonlyMap<Signature, string>;

export async function incidentNames(memory: Pick<Memory, 'incidents'>): Promise<Names> {
  return new Map((await memory.incidents.patterns()).map((p) => [p.signature, p.incidentId]));
}

/** `merges A into B`, `splits A by place`. */
export function doesWhat(rule: GroupingRule, names: Names): string {
  const name = nameOf(rule.signature, names);
  return rule.kind === 'merge' ? `merges ${name} into ${nameOf(rule.into, names)}` : `splits ${name} by ${rule.part}`;
}

/** The same with who, when and why, for `grace explain`. */
export function toldRule(rule: GroupingRule, names: Names, nowMs: number): string {
  return `rule ${rule.id} ${doesWhat(rule, names)}: ${nameOfPerson(rule)}, ${when(rule.atMs, nowMs)}, "${rule.reason}"`;
}

function nameOf(signature: Signature, names: Names): string {
  return names.get(signature) ?? signature;
}

export function ruleJson(rule: GroupingRule, names: Names): Readonly<Record<string, unknown>> {
  return {
    id: rule.id,
    kind: rule.kind,
    incident: names.get(rule.signature) ?? null,
    signature: rule.signature,
    into: rule.kind === 'merge' ? (names.get(rule.into) ?? rule.into) : null,
    by_part: rule.kind === 'split' ? (rule.part satisfies SplitPart) : null,
    by: rule.by,
    claimed_name: rule.claimedName ?? null,
    at: iso(rule.atMs),
    reason: rule.reason,
    taken_back:
      rule.takenBack === null
        ? null
        : { by: rule.takenBack.by, claimed_name: rule.takenBack.claimedName ?? null, at: iso(rule.takenBack.atMs) },
  };
}

/** Incident ids of what people merged into a pattern. */
export function mergedWith(pattern: Pattern, all: readonly Pattern[], rules: readonly GroupingRule[]): readonly string[] {
  const members = new Set(membersOf(pattern.signature, rules));
  return all.filter((p) => members.has(p.signature)).map((p) => p.incidentId);
}

/** The pattern with this incident id, or the one it was merged into. */
export async function standingPattern(memory: Memory, incident: string): Promise<Pattern | null> {
  const pattern = await memory.incidents.patternByIncident(incident);
  if (pattern === null) return null;
  const standing = mergedInto(pattern.signature, await memory.groupingRules.list());
  return standing === pattern.signature ? pattern : await memory.incidents.pattern(standing);
}

async function thePattern(memory: Memory, id: string): Promise<Pattern> {
  const pattern = await memory.incidents.patternByIncident(id);
  if (pattern === null) throw new NotKnown('incident', id, 'see the known ones with: grace incidents');
  return pattern;
}

/** A reason is typed by a person, and may hold what should not be stored. */
function decisionOf(memory: Memory, { reason, ...decider }: Deciding): Pick<GroupingRule, 'id' | 'by' | 'claimedName' | 'atMs' | 'reason'> {
  if (reason.trim() === '') throw new GroupingRefused('a rule needs a reason', 'say why with --reason "…"');
  const redactor = new Redactor();
  redactor.learnEnvironment(process.env);
  return { id: nodeIds.next('gr'), ...personOf(decider), atMs: memory.nowMs, reason: redactor.redact(reason.trim()) };
}

/** A person who has Grace's name is told from it; a claimed name that says nothing more is not kept. */
function personOf({ by, claimedName }: Decider): Decider {
  return { by: actorOf(by), ...(claimedName === undefined || claimedName === by ? {} : { claimedName }) };
}

function nameOfPerson({ by, claimedName }: Decider): string {
  return claimedName === undefined || claimedName === by ? by : `${by}, who says to be ${claimedName}`;
}
