import { sha256Hex, signatureOf, type Signature } from '../../kernel/index.ts';
import { GroupingRefused } from './errors.ts';
import type { Failure } from './failure.ts';
import type { Pattern } from './pattern.ts';
import { principalFact } from './signature.ts';

/** By what a split keeps failures apart: read from the failure as it was captured, before anything in it was masked. */
export const SPLIT_PARTS = ['subject', 'place', 'message', 'code', 'exit', 'stage', 'symptom'] as const;
export type SplitPart = (typeof SPLIT_PARTS)[number];

/** Who takes a rule back, or took it, under which name they say, and when. */
export interface TakenBack {
  readonly by: string;
  readonly claimedName?: string;
  readonly atMs: number;
}

interface Decided {
  readonly id: string;
  /** Failures with this signature are what the rule is about. */
  readonly signature: Signature;
  /** Who decided it, when, and why: the user it ran as, `user:grace` for one who has Grace's name, or `grace`. */
  readonly by: string;
  /** What they called themselves beside it: it counts for nothing. */
  readonly claimedName?: string;
  readonly atMs: number;
  readonly reason: string;
  /** A rule that was taken back stays in the record and does nothing any more. */
  readonly takenBack: TakenBack | null;
}

/** Failures with `signature` count as those of `into`. */
export interface MergeRule extends Decided {
  readonly kind: 'merge';
  readonly into: Signature;
}

/** Failures with `signature` are kept apart by what `part` says. */
export interface SplitRule extends Decided {
  readonly kind: 'split';
  readonly part: SplitPart;
}

/** What a person decided about which failures are one. It outranks the signature that Grace computes. */
export type GroupingRule = MergeRule | SplitRule;

/** Whose decision a new rule is. */
export type Decision = Pick<Decided, 'id' | 'by' | 'claimedName' | 'atMs' | 'reason'>;

/** Where a failure belongs once the rules of people are followed. */
export interface Grouped {
  readonly signature: Signature;
  /** The rules that led there, in order; empty when its own signature stands. */
  readonly rules: readonly GroupingRule[];
  /** Merged on the way: their patterns count it too, so that a rule can be taken back without losing anything. */
  readonly absorbed: readonly Signature[];
  /** Its own signature, those on the way, and those merged into the last: a playbook for any of them is for all. */
  readonly alike: readonly Signature[];
}

/** Follows the rules that stand. Each is followed once at most, so that it ends whatever the store holds. */
export function groupFailure(failure: Failure, rules: readonly GroupingRule[]): Grouped {
  const standing = rules.filter((r) => r.takenBack === null);
  const followed: GroupingRule[] = [];
  const absorbed: Signature[] = [];
  let signature = failure.signature;
  for (;;) {
    const rule = standing.find((r) => r.signature === signature && !followed.includes(r));
    if (rule === undefined) break;
    followed.push(rule);
    if (rule.kind === 'merge') {
      absorbed.push(signature);
      signature = rule.into;
    } else signature = splitSignature(rule, failure);
  }
  const alike = [...new Set([...followed.toReversed().map((r) => r.signature), ...membersOf(signature, rules)])];
  return { signature, rules: followed, absorbed, alike };
}

/** Signatures that were merged into one, directly or through another. */
export function membersOf(signature: Signature, rules: readonly GroupingRule[]): readonly Signature[] {
  const found = new Set<Signature>();
  const look = (into: Signature): void => {
    for (const rule of rules) {
      if (rule.kind !== 'merge' || rule.takenBack !== null || rule.into !== into || found.has(rule.signature)) continue;
      found.add(rule.signature);
      look(rule.signature);
    }
  };
  look(signature);
  found.delete(signature);
  return [...found];
}

/** The pattern that counts for a signature: where the merges that stand lead. */
export function mergedInto(signature: Signature, rules: readonly GroupingRule[]): Signature {
  const seen = new Set<Signature>();
  let current = signature;
  while (!seen.has(current)) {
    seen.add(current);
    current = mergeOf(current, rules)?.into ?? current;
  }
  return current;
}

/** Patterns that stand for themselves: those merged into another are told with that one. */
export function standingPatterns(patterns: readonly Pattern[], rules: readonly GroupingRule[]): readonly Pattern[] {
  return patterns.filter((p) => mergedInto(p.signature, rules) === p.signature);
}

/**
 * Makes two patterns one: from now on failures of `from` count on `into`, which takes over the count so far.
 * @returns the rule, and `into` as it is then
 * @throws GroupingRefused when it would say nothing, or contradict a rule that stands
 */
export function mergePatterns(
  from: Pattern,
  into: Pattern,
  rules: readonly GroupingRule[],
  decision: Decision,
): { readonly rule: MergeRule; readonly into: Pattern } {
  if (from.signature === into.signature) throw new GroupingRefused(`${from.incidentId} cannot be merged with itself`, 'name two incidents');
  if (mergedInto(from.signature, rules) === mergedInto(into.signature, rules))
    throw new GroupingRefused(`${from.incidentId} and ${into.incidentId} are one already`, 'see why with: grace patterns rules');
  refuseWhereRuled(from, rules);
  refuseWhereRuled(into, rules);
  return {
    rule: { ...decision, kind: 'merge', signature: from.signature, into: into.signature, takenBack: null },
    into: {
      ...into,
      occurrences: into.occurrences + from.occurrences,
      firstSeenMs: Math.min(into.firstSeenMs, from.firstSeenMs),
      lastSeenMs: Math.max(into.lastSeenMs, from.lastSeenMs),
      playbook: into.playbook ?? from.playbook,
    },
  };
}

/**
 * Keeps failures apart that share a signature. What was seen so far stays with the pattern as it is.
 * @param failures   those of the pattern that are kept: a part in which none differ would separate nothing
 * @throws GroupingRefused
 */
export function splitPattern(
  pattern: Pattern,
  part: SplitPart,
  failures: readonly Failure[],
  rules: readonly GroupingRule[],
  decision: Decision,
): SplitRule {
  refuseWhereRuled(pattern, rules);
  if (membersOf(pattern.signature, rules).length > 0)
    throw new GroupingRefused(
      `others were merged into ${pattern.incidentId}`,
      'take those back first: grace patterns rules, then grace patterns unrule ID',
    );
  if (new Set(failures.map((f) => partOf(f, part))).size < 2) {
    const better = SPLIT_PARTS.filter((p) => new Set(failures.map((f) => partOf(f, p))).size > 1);
    throw new GroupingRefused(
      failures.length < 2
        ? `only ${failures.length} failure of ${pattern.incidentId} is kept: there is nothing to separate`
        : `all ${failures.length} kept failures of ${pattern.incidentId} have the same ${part}: that would separate nothing`,
      better.length > 0 ? `they differ in: ${better.join(', ')}` : 'they do not differ in anything that a split can go by',
    );
  }
  return { ...decision, kind: 'split', signature: pattern.signature, part, takenBack: null };
}

/**
 * Takes a rule back. Of a merge, what was merged stands for itself again with all it counted, and those it counted on lose
 * that much.
 * @param patterns   all of them
 * @returns the rule as it is then, and the patterns that change
 * @throws GroupingRefused when it was taken back before
 */
export function takeBackRule(
  rule: GroupingRule,
  patterns: readonly Pattern[],
  rules: readonly GroupingRule[],
  takenBack: TakenBack,
): { readonly rule: GroupingRule; readonly changed: readonly Pattern[] } {
  if (rule.takenBack !== null) throw new GroupingRefused(`rule ${rule.id} was taken back before, by ${rule.takenBack.by}`, '');
  const back = { ...rule, takenBack };
  const from = patterns.find((p) => p.signature === rule.signature);
  if (rule.kind === 'split' || from === undefined) return { rule: back, changed: [] };
  const counting = new Set<Signature>();
  for (let next: Signature | undefined = rule.into; next !== undefined && !counting.has(next); next = mergeOf(next, rules)?.into)
    counting.add(next);
  return {
    rule: back,
    changed: patterns
      .filter((p) => counting.has(p.signature))
      .map((p) => ({ ...p, occurrences: Math.max(1, p.occurrences - from.occurrences) })),
  };
}

/** What a split goes by: the part of a failure as it was captured. */
export function partOf(failure: Failure, part: SplitPart): string {
  const cause = principalFact(failure.facts);
  switch (part) {
    case 'subject':
      return cause?.subject || failure.subject;
    case 'place': {
      const frame = failure.frames.find((f) => !f.inDependency);
      return frame === undefined ? '' : `${frame.path}#${frame.function}`;
    }
    case 'message':
      return failure.headline || failure.message;
    case 'code':
      return cause?.code ?? '';
    case 'exit':
      return failure.signal ?? (failure.exitCode === null ? '' : String(failure.exitCode));
    case 'stage':
      return failure.stage;
    case 'symptom':
      return failure.symptom;
  }
}

function splitSignature(rule: SplitRule, failure: Failure): Signature {
  return signatureOf(sha256Hex(JSON.stringify([rule.signature, rule.part, partOf(failure, rule.part)])).slice(0, 16));
}

function mergeOf(signature: Signature, rules: readonly GroupingRule[]): MergeRule | undefined {
  return rules.find((r): r is MergeRule => r.kind === 'merge' && r.takenBack === null && r.signature === signature);
}

/** One signature, one rule: two would have to be followed in some order that nobody chose. */
function refuseWhereRuled(pattern: Pattern, rules: readonly GroupingRule[]): void {
  const rule = rules.find((r) => r.takenBack === null && r.signature === pattern.signature);
  if (rule === undefined) return;
  throw new GroupingRefused(
    `${pattern.incidentId} ${rule.kind === 'merge' ? 'was merged into another' : `is split by ${rule.part}`} already, by ${rule.by}`,
    `name another incident, or take that rule back first: grace patterns unrule ${rule.id}`,
  );
}
