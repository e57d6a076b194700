import { describe, expect, test } from 'vitest';
import { incidentId, signatureOf } from '../../kernel/index.ts';
import type { Pattern } from '../incidents/index.ts';
import type { RegisteredPlaybook } from '../playbooks/index.ts';
import type { BootOutcome } from './health-score.ts';
import { suggestionsFor, type SuggestionInput } from './suggestions.ts';

const pattern = (parts: Partial<Pattern> = {}): Pattern => ({
  signature: signatureOf('aaaaaaaaaaaaaaaa'),
  incidentId: incidentId('runtime_aaaaaaaa'),
  family: '',
  component: 'api',
  stage: 'runtime',
  familyName: null,
  template: '',
  rootCause: '',
  occurrences: 1,
  firstSeenMs: 0,
  lastSeenMs: 0,
  state: 'new',
  playbook: null,
  cleanBoots: 0,
  ...parts,
});

const playbook = (parts: Partial<RegisteredPlaybook> = {}): RegisteredPlaybook => ({
  name: 'mend_it',
  description: '',
  risk: 'medium',
  tier: 'tier_2',
  service: 'boot_pipeline',
  severity: 'warning',
  version: 1,
  hash: '',
  file: '',
  origin: 'generated',
  family: null,
  signature: null,
  component: null,
  params: {},
  steps: [],
  isEnabled: true,
  createdAtMs: 0,
  verifiedCount: 0,
  failedCount: 0,
  ...parts,
});

const failed: BootOutcome = { isSuccess: false, issues: 1, failedStage: '6. Autonomy Load' };
const of = (input: Partial<SuggestionInput>) =>
  suggestionsFor({ patterns: [], playbooks: [], boots: [], pendingApprovals: [], earned: new Map(), ...input });
const kinds = (input: Partial<SuggestionInput>) => of(input).map((s) => s.kind);

describe('at its limit, and not one short of it, it is suggested to', () => {
  test('look at a failure that comes back and has no playbook', () => {
    expect(kinds({ patterns: [pattern({ occurrences: 2 })] })).toEqual([]);
    expect(of({ patterns: [pattern({ occurrences: 3 })] })).toEqual([
      expect.objectContaining({ kind: 'look_at_pattern', subject: 'runtime_aaaaaaaa', command: 'grace explain runtime_aaaaaaaa' }),
    ]);
    expect(kinds({ patterns: [pattern({ occurrences: 9, playbook: 'mend_it' })] })).toEqual([]);
  });

  test('let a proven playbook run with less asking, one tier at a time', () => {
    const earned = new Map([['mend_it', 'helped 12 of 12 times']]);
    expect(kinds({ playbooks: [playbook({ verifiedCount: 40 })] })).toEqual([]);
    expect(kinds({ earned, playbooks: [playbook({ tier: 'tier_1' })] })).toEqual([]);
    expect(of({ earned, playbooks: [playbook({ verifiedCount: 12, tier: 'tier_4' })] })[0]).toMatchObject({
      kind: 'raise_autonomy',
      text: expect.stringContaining('it could be tier_3'),
      reason: 'helped 12 of 12 times',
      command: 'grace playbooks promote mend_it --to tier_3 --reason …',
    });
  });

  test('look at what was learned from a person, until it has run once', () => {
    expect(kinds({ playbooks: [playbook({ origin: 'learned', tier: 'tier_3' })] })).toEqual(['look_at_candidate']);
    expect(kinds({ playbooks: [playbook({ origin: 'learned', tier: 'tier_3', verifiedCount: 9 })] })).toEqual([]);
  });

  test('review a playbook that fails as often as it helps, unless it is disabled', () => {
    expect(kinds({ playbooks: [playbook({ verifiedCount: 2, failedCount: 1 })] })).toEqual([]);
    expect(kinds({ playbooks: [playbook({ verifiedCount: 1, failedCount: 1 })] })).toEqual(['review_playbook']);
    expect(kinds({ playbooks: [playbook({ failedCount: 3, isEnabled: false })] })).toEqual([]);
  });

  test('look behind a failure whose fix holds and that comes back all the same', () => {
    const input = (verifiedCount: number, state: Pattern['state']) => ({
      patterns: [pattern({ playbook: 'mend_it', state, occurrences: 4 })],
      playbooks: [playbook({ verifiedCount, tier: 'tier_1' })],
    });
    expect(kinds(input(2, 'candidate'))).toEqual([]);
    expect(kinds(input(3, 'immune'))).toEqual([]);
    expect(kinds(input(3, 'candidate'))).toEqual(['look_at_cause']);
  });

  test('add a check before the stage in which boots fail', () => {
    const early: BootOutcome = { ...failed, failedStage: '1. Preflight Gate' };
    expect(kinds({ boots: [failed] })).toEqual([]);
    expect(kinds({ boots: [failed, early] })).toEqual([]);
    expect(of({ boots: [failed, failed] })[0]).toMatchObject({ kind: 'weak_stage', subject: '6. Autonomy Load' });
    expect(kinds({ boots: [failed, early, { ...failed, failedStage: '2. Schema Sync & Secrets' }] })).toEqual([]);
  });
});

test('what waits for a person comes first, then what Grace cannot mend, and each has a reason', () => {
  const found = of({
    patterns: [pattern({ occurrences: 3 })],
    playbooks: [playbook({ verifiedCount: 30 }), playbook({ name: 'useless', failedCount: 2 })],
    boots: [failed, failed],
    earned: new Map([['mend_it', 'helped']]),
    pendingApprovals: ['ap_1', 'ap_2'],
  });
  expect(found.map((s) => s.kind)).toEqual(['approve', 'look_at_pattern', 'review_playbook', 'raise_autonomy', 'weak_stage']);
  expect(found.every((s) => s.reason !== '' && s.text !== '')).toBe(true);
  expect(of({ pendingApprovals: ['ap_1'] })[0]?.command).toBe('grace approvals show ap_1');
});
