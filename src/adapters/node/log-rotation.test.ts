import { mkdtempSync, openSync, readFileSync, statSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { rotateLog } from './log-rotation.ts';

it('empties a log that grew too long under its writer, and keeps the old one beside it', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'grace-log-')), 'api.log');
  const writer = openSync(path, 'a');
  writeSync(writer, 'first\n');
  expect(await rotateLog(path)).toBe(false);
  truncateSync(path, 64 * 1024 * 1024 + 1);
  expect(await rotateLog(path)).toBe(true);
  writeSync(writer, 'after\n');
  expect(readFileSync(path, 'utf8')).toBe('after\n');
  expect(statSync(`${path}.1`).size).toBe(64 * 1024 * 1024 + 1);
});
