import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bootId, incidentId, signatureOf } from '../../kernel/index.ts';
import {
  groupFailure,
  mergedInto,
  membersOf,
  mergePatterns,
  partOf,
  SPLIT_PARTS,
  splitPattern,
  standingPatterns,
  takeBackRule,
  type GroupingRule,
  type MergeRule,
} from './grouping-rule.ts';
import type { Failure } from './failure.ts';
import type { Pattern } from './pattern.ts';

const sig = (letter: string) => signatureOf(letter.repeat(16));
const decision = { id: 'gr_1', by: 'ada', atMs: 5, reason: 'the same pool' };

function failure(parts: Partial<Failure> = {}): Failure {
  return {
    id: 'f_1',
    bootId: bootId('boot_1'),
    atMs: 10,
    stage: 'runtime',
    component: 'api',
    symptom: 'exit',
    message: 'it ended',
    exitCode: 1,
    signal: null,
    output: [],
    headline: 'Error: no',
    subject: '',
    facts: [],
    frames: [],
    family: '',
    signature: sig('a'),
    signatureParts: [],
    afterMs: null,
    context: {},
    ...parts,
  };
}

function pattern(letter: string, occurrences = 1, parts: Partial<Pattern> = {}): Pattern {
  return {
    signature: sig(letter),
    incidentId: incidentId(`runtime_${letter.repeat(8)}`),
    family: '',
    component: 'api',
    stage: 'runtime',
    familyName: null,
    template: '',
    rootCause: '',
    occurrences,
    firstSeenMs: 1,
    lastSeenMs: 2,
    state: 'new',
    playbook: null,
    cleanBoots: 0,
    ...parts,
  };
}

const merge = (from: string, into: string, id = `gr_${from}${into}`): MergeRule => ({
  ...decision,
  id,
  kind: 'merge',
  signature: sig(from),
  into: sig(into),
  takenBack: null,
});

const split = (of: string, part: (typeof SPLIT_PARTS)[number]): GroupingRule => ({
  ...decision,
  id: `gr_${of}`,
  kind: 'split',
  signature: sig(of),
  part,
  takenBack: null,
});

const port = (subject: string): Partial<Failure> => ({
  facts: [{ kind: 'port_in_use', runtime: 'node', code: 'EADDRINUSE', subject, details: {}, line: '', lineIndex: 0 }],
});

describe('a merge', () => {
  test('sends failures of one signature to the other, and says which rule did', () => {
    const { signature, rules, absorbed, alike } = groupFailure(failure(), [merge('a', 'b')]);
    expect(signature).toBe(sig('b'));
    expect(rules.map((r) => r.id)).toEqual(['gr_ab']);
    expect(absorbed).toEqual([sig('a')]);
    expect(alike).toEqual([sig('a')]);
  });

  test('is followed through others, and a playbook for any of them is for all', () => {
    const rules = [merge('a', 'b'), merge('b', 'c'), merge('d', 'c')];
    const grouped = groupFailure(failure(), rules);
    expect(grouped.signature).toBe(sig('c'));
    expect(grouped.absorbed).toEqual([sig('a'), sig('b')]);
    expect(grouped.alike.toSorted()).toEqual([sig('a'), sig('b'), sig('d')]);
    expect(membersOf(sig('c'), rules).toSorted()).toEqual([sig('a'), sig('b'), sig('d')]);
    expect(mergedInto(sig('a'), rules)).toBe(sig('c'));
  });

  test('takes over the count and the time span, and keeps its own playbook', () => {
    const from = pattern('a', 3, { firstSeenMs: 0, lastSeenMs: 9, playbook: 'theirs' });
    expect(mergePatterns(from, pattern('b', 4, { playbook: 'ours' }), [], decision)).toEqual({
      rule: { ...merge('a', 'b'), id: 'gr_1' },
      into: pattern('b', 7, { firstSeenMs: 0, lastSeenMs: 9, playbook: 'ours' }),
    });
    expect(mergePatterns(from, pattern('b'), [], decision).into.playbook).toBe('theirs');
  });

  test.each<[string, string, string, readonly GroupingRule[], string]>([
    ['with itself', 'a', 'a', [], 'with itself'],
    ['of what is one already', 'a', 'b', [merge('a', 'b')], 'are one already'],
    ['that would go in a circle', 'b', 'a', [merge('a', 'b')], 'are one already'],
    ['that would go in a wider circle', 'c', 'a', [merge('a', 'b'), merge('b', 'c')], 'are one already'],
    ['of what went elsewhere', 'a', 'c', [merge('a', 'b')], 'was merged into another already'],
    ['into what went elsewhere', 'c', 'a', [merge('a', 'b')], 'was merged into another already'],
    ['into what is split', 'a', 'b', [split('b', 'place')], 'is split by place already'],
  ])('%s is refused', (_what, from, into, rules, message) => {
    expect(() => mergePatterns(pattern(from), pattern(into), rules, decision)).toThrow(message);
  });
});

describe('a split', () => {
  test('keeps apart what differs in its part, and together what does not', () => {
    const of = (subject: string) => groupFailure(failure(port(subject)), [split('a', 'subject')]).signature;
    expect(of('3000')).toBe(of('3000'));
    expect(new Set([of('3000'), of('4000'), sig('a')]).size).toBe(3);
    expect(of('3000')).toMatch(/^[0-9a-f]{16}$/);
  });

  test('gives an incident that can be merged again', () => {
    const apart = groupFailure(failure(port('3000')), [split('a', 'subject')]).signature;
    const again: MergeRule = { ...merge('a', 'b'), signature: apart };
    expect(groupFailure(failure(port('3000')), [split('a', 'subject'), again])).toMatchObject({ signature: sig('b'), absorbed: [apart] });
    expect(groupFailure(failure(port('4000')), [split('a', 'subject'), again]).signature).not.toBe(sig('b'));
  });

  test('that separates nothing is refused, and says what would', () => {
    const failures = [failure(port('3000')), failure({ ...port('3000'), exitCode: 2 })];
    const decide = (kept: readonly Failure[], part: 'subject' | 'exit', rules: readonly GroupingRule[] = []) =>
      splitPattern(pattern('a'), part, kept, rules, decision);
    expect(() => decide(failures, 'subject')).toThrow(expect.objectContaining({ hint: 'they differ in: exit' }));
    expect(() => decide([failure()], 'exit')).toThrow('only 1 failure');
    expect(() => decide(failures, 'exit', [merge('b', 'a')])).toThrow('others were merged into');
    expect(() => decide(failures, 'exit', [split('a', 'place')])).toThrow('is split by place already');
    expect(decide(failures, 'exit')).toMatchObject({ kind: 'split', part: 'exit', by: 'ada', reason: 'the same pool' });
  });

  test.each(SPLIT_PARTS)('can go by %s', (part) => {
    const other = failure({
      ...port('4000'),
      stage: '6. Autonomy Load',
      symptom: 'not_ready',
      exitCode: 2,
      headline: 'Error: other',
      frames: [{ path: 'src/a.ts', function: 'main', line: 3, inDependency: false, package: null }],
    });
    expect(partOf(failure(), part)).not.toBe(partOf(other, part));
  });
});

describe('a rule that is taken back', () => {
  test('does nothing any more, and what was merged stands with what it counted', () => {
    const merged = mergePatterns(pattern('a', 3), pattern('b', 4), [], decision);
    // two more of a came since: both count them
    const now = [pattern('a', 5), { ...merged.into, occurrences: 9 }];
    const back = takeBackRule(merged.rule, now, [merged.rule], { by: 'bob', atMs: 99 });
    expect(back.rule.takenBack).toEqual({ by: 'bob', atMs: 99 });
    expect(back.changed.map((p) => [p.signature, p.occurrences])).toEqual([[sig('b'), 4]]);
    expect(groupFailure(failure(), [back.rule]).signature).toBe(sig('a'));
    expect(standingPatterns(now, [back.rule])).toHaveLength(2);
    expect(() => takeBackRule(back.rule, now, [back.rule], { by: 'bob', atMs: 100 })).toThrow('was taken back before, by bob');
  });

  test('is taken off everything that counted through it', () => {
    const rules = [merge('a', 'b'), merge('b', 'c')];
    const { changed } = takeBackRule(rules[0] as MergeRule, [pattern('a', 2), pattern('b', 5), pattern('c', 9)], rules, {
      by: 'bob',
      atMs: 9,
    });
    expect(changed.map((p) => p.occurrences)).toEqual([3, 7]);
  });
});

test('patterns that were merged are told with the one they went into', () => {
  const patterns = [pattern('a'), pattern('b'), pattern('c')];
  expect(standingPatterns(patterns, [merge('a', 'b')]).map((p) => p.signature)).toEqual([sig('b'), sig('c')]);
});

test('whatever rules the store holds, following them ends, and the same failure always goes the same way', () => {
  const letter = fc.constantFrom('a', 'b', 'c', 'd');
  const anyRule = fc.oneof(
    fc.tuple(letter, letter).map(([x, y]) => merge(x, y)),
    fc.tuple(letter, fc.constantFrom(...SPLIT_PARTS)).map(([x, part]) => split(x, part)),
  );
  fc.assert(
    fc.property(fc.array(anyRule, { maxLength: 8 }), letter, (rules, of) => {
      const first = groupFailure(failure({ signature: sig(of) }), rules);
      expect(groupFailure(failure({ signature: sig(of) }), rules)).toEqual(first);
      expect(first.rules.length).toBeLessThanOrEqual(rules.length);
      mergedInto(sig(of), rules);
      membersOf(sig(of), rules);
    }),
  );
});
