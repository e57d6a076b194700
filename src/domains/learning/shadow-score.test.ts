import { describe, expect, test } from 'vitest';
import type { SeenStep, ShadowRecord } from './shadow-record.ts';
import { scoreShadow, selfRecoveryOf, type EndedEpisode } from './shadow-score.ts';

const seen = (parts: Partial<SeenStep> = {}): SeenStep => ({
  step: 'put it back',
  primitive: 'restore_file',
  state: 'ready',
  summary: 'would put /s/a back',
  targets: ['/s/a'],
  looked: ['/s/a'],
  changesNothing: false,
  picture: { '/s/a': 'broken' },
  ...parts,
});
const done = (parts: Partial<SeenStep> = {}): SeenStep =>
  seen({ state: 'nothing_to_do', summary: 'it is as it was', targets: [], picture: { '/s/a': 'good' }, ...parts });
const record = (parts: Partial<ShadowRecord> = {}): ShadowRecord => ({
  id: 'shd_1',
  playbook: 'mend',
  hash: 'f00d',
  component: 'api',
  signature: 's1',
  failureId: 'f1',
  bootId: 'boot_1',
  verdict: 'observe',
  reason: '',
  firstAtMs: 100,
  lastAtMs: 200,
  seen: 1,
  first: [seen()],
  last: [seen()],
  score: 'open',
  endedBy: null,
  endedAtMs: null,
  evidence: [],
  ...parts,
});
const ended = (parts: Partial<EndedEpisode> = {}): EndedEpisode => ({
  now: [seen()],
  launchedAtMs: 300,
  person: null,
  helpers: [],
  writtenByService: new Set(),
  ...parts,
});

describe('a step that has nothing to do any more', () => {
  test('is a hit where what it would have changed is different', () => {
    expect(scoreShadow(record(), ended({ now: [done()] }))).toMatchObject({ score: 'hit', endedBy: 'itself' });
  });

  const port = seen({ primitive: 'free_port', targets: ['4711'], looked: ['4711'], picture: null });
  const free = done({ primitive: 'free_port', looked: ['4711'], picture: null, summary: 'nobody holds port 80' });
  const ofPort = record({ first: [port], last: [port] });

  test('is no hit when it came about with nobody known to have acted: a port that came free by itself', () => {
    const scored = scoreShadow(ofPort, ended({ now: [free] }));
    expect(scored).toMatchObject({ score: 'unknown', endedBy: 'itself' });
    expect(scored.evidence[1]).toContain('came about by itself');
  });

  test('is a hit when a person, or another playbook, is known to have acted', () => {
    expect(scoreShadow(ofPort, ended({ now: [free], person: ['ended pid 4711'] }))).toMatchObject({ score: 'hit', endedBy: 'person' });
    const helpers = [{ playbook: 'other', hash: 'beef' }];
    expect(scoreShadow(ofPort, ended({ now: [free], helpers }))).toMatchObject({ score: 'hit', endedBy: 'playbook' });
  });

  test('says nothing when the service wrote it itself once it ran', () => {
    expect(scoreShadow(record(), ended({ now: [done()], writtenByService: new Set(['/s/a']) }))).toMatchObject({ score: 'unknown' });
  });
});

describe('a step that would act still', () => {
  test('is a miss where nothing was changed, and a harm where something was', () => {
    expect(scoreShadow(record(), ended())).toMatchObject({ score: 'miss' });
    expect(scoreShadow(record(), ended({ now: [seen({ picture: { '/s/a': 'otherwise' } })] }))).toMatchObject({ score: 'harm' });
  });

  test('is a harm where somebody changed it between its first and its last sight', () => {
    const last = [seen({ picture: { '/s/a': 'otherwise' } })];
    expect(scoreShadow(record({ last, seen: 2 }), ended({ now: last }))).toMatchObject({ score: 'harm' });
  });

  test('is no harm because it was looked at elsewhere before it was ready', () => {
    const first = [seen({ state: 'refused', targets: [], looked: ['/s'], picture: { '/s': 'a folder' } })];
    expect(scoreShadow(record({ first, seen: 2 }), ended())).toMatchObject({ score: 'miss' });
    expect(scoreShadow(record({ first: [seen({ looked: ['/s/b'], picture: { '/s/b': 'x' } })] }), ended())).toMatchObject({
      score: 'miss',
    });
  });

  test('is no harm because it was in order when the failure was seen first', () => {
    expect(scoreShadow(record({ first: [done()], seen: 2 }), ended())).toMatchObject({ score: 'miss' });
  });
});

describe('a restart', () => {
  const step = [seen({ primitive: 'restart_component', targets: ['api'], looked: ['api'], picture: null })];

  test('is a hit where it was started again, a harm where it got well as it ran, and neither where that is not known', () => {
    const score = (launchedAtMs: number | null) =>
      scoreShadow(record({ last: step, first: step }), ended({ now: step, launchedAtMs })).score;
    expect(score(300)).toBe('hit');
    expect(score(150)).toBe('harm');
    expect(score(null)).toBe('unknown');
  });

  test('alone is no hit where a person changed something before: it is a miss once it was tried in vain, and unknown else', () => {
    const score = (seen: number) =>
      scoreShadow(record({ last: step, first: step, seen }), ended({ now: step, person: ['changed settings.json'] })).score;
    expect(score(1)).toBe('unknown');
    expect(score(2)).toBe('miss');
    const both = [seen(), ...step];
    expect(scoreShadow(record({ last: both, first: both }), ended({ now: [done(), ...step], person: ['changed it'] })).score).toBe('hit');
  });
});

test('a step that only waits or tells is no part of the score, and harm outranks everything', () => {
  const wait = seen({ primitive: 'wait_for_port', changesNothing: true, picture: null });
  expect(scoreShadow(record({ first: [wait], last: [wait] }), ended({ now: [wait] })).evidence[1]).toContain('no step of it');
  const last = [seen(), seen({ step: 'b', looked: ['/s/b'], targets: ['/s/b'], picture: { '/s/b': 1 } }), wait];
  const now = [done(), seen({ step: 'b', looked: ['/s/b'], targets: ['/s/b'], picture: { '/s/b': 2 } }), wait];
  expect(scoreShadow(record({ first: last, last }), ended({ now }))).toMatchObject({ score: 'harm' });
});

test('how often it goes away by itself counts what came back and was ended by somebody, and nothing ended at first sight', () => {
  const of = (n: number, parts: Partial<ShadowRecord>): ShadowRecord => record({ id: `shd_${n}`, endedAtMs: n, ...parts });
  expect(
    selfRecoveryOf(
      [
        of(1, { endedBy: 'itself' }),
        of(2, { endedBy: 'person', seen: 1 }),
        of(3, { endedBy: 'person', seen: 2 }),
        of(4, { endedBy: null }),
      ],
      3,
    ),
  ).toEqual({ recovered: 4, episodes: 5 });
});
