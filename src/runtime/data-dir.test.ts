import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fileLogger } from '../adapters/node/file-logger.ts';
import { openStore } from '../adapters/store/open-store.ts';
import { writeMemory } from '../adapters/import-graph/graph-memory.ts';
import { keepFromOthers, makeDataDir } from './data-dir.ts';

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'grace-data-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test('whoever makes the folder first makes it for its user alone', () => {
  const dir = folder();
  fileLogger(join(dir, 'a/logs/grace.log'), 'info', (fields) => fields).info('x');
  expect([modeOf(join(dir, 'a')), modeOf(join(dir, 'a/logs'))]).toEqual(['700', '700']);
  writeMemory(join(dir, 'b/import-graph.json'), { version: 1, nodes: [], services: [] });
  expect(modeOf(join(dir, 'b'))).toBe('700');
  makeDataDir(join(dir, 'c'));
  expect(modeOf(join(dir, 'c'))).toBe('700');
});

test('one that everybody may look into is closed, and one that was given to a group stays so', () => {
  const dir = join(folder(), '.grace');
  makeDataDir(dir);
  chmodSync(dir, 0o755);
  keepFromOthers(dir);
  expect(modeOf(dir)).toBe('700');
  chmodSync(dir, 0o750);
  keepFromOthers(dir);
  expect(modeOf(dir)).toBe('750');
});

test('the store is for its user alone, also one that an older Grace left open', async () => {
  const dir = folder();
  const path = join(dir, 'grace.db');
  (await openStore(path)).close();
  expect(modeOf(path)).toBe('600');
  chmodSync(path, 0o644);
  keepFromOthers(dir);
  expect(modeOf(path)).toBe('600');
});
