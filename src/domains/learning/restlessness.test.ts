import { expect, test } from 'vitest';
import type { StoredEntry } from './last-good-keeper.ts';
import { countRestless, restlessPaths, UNKNOWN_RESTLESSNESS, type Restlessness } from './restlessness.ts';

/** Each boot finds these files, by content; a boot is a second after the one before. */
function after(...boots: readonly Readonly<Record<string, string>>[]): Restlessness {
  const entries = boots.map((files, n) =>
    Object.entries(files).map(([path, digest]): StoredEntry => ({
      path,
      digest,
      kind: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      sizeBytes: 1,
      hasContent: true,
      bootId: '',
      mtimeMs: n,
    })),
  );
  return entries.slice(1).reduce((counts, is, n) => countRestless(counts, entries[n] ?? [], is), UNKNOWN_RESTLESSNESS);
}

test('what is another at every good boot is restless, what somebody edited now and then is not', () => {
  const boots = [1, 2, 3, 4, 5, 6, 7].map((n) => ({
    'state.json': `s${n}`,
    'config.ini': n < 3 ? 'a' : n < 6 ? 'b' : 'c',
    'fixed.txt': 'x',
  }));
  expect(restlessPaths(after(...boots))).toEqual(new Set(['state.json']));
});

test('once is no habit, and a file that came or was only touched has not changed', () => {
  expect(restlessPaths(after({ a: '1' }, { a: '2', b: '1' }))).toEqual(new Set());
  expect(after({ a: '1' }, { a: '1' }, { a: '1' })).toEqual({ compared: 2, changes: {} });
});
