import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, afterEach, describe, expect, test } from 'vitest';
import { sweepLeftFolders } from './left-folders.ts';
import { copyProject } from './scratch/project-copy.ts';

const MINUTE_MS = 60_000;
const NOW = Date.now();

describe('folders that a killed Grace has left', () => {
  let dir = '';
  let before: string | undefined;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'left-folders-'));
    before = process.env['TMPDIR'];
    process.env['TMPDIR'] = dir;
  });
  afterEach(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(dir, { recursive: true, force: true });
  });

  function folder(name: string, ageMs: number): string {
    const path = join(dir, name);
    mkdirSync(path);
    writeFileSync(join(path, 'a file'), '');
    const at = new Date(NOW - ageMs);
    utimesSync(path, at, at);
    return path;
  }

  test('are removed when they are older than any run, and those of others and of today are not', async () => {
    const old = folder('grace-x-old', 10 * MINUTE_MS + 1);
    const young = folder('grace-x-young', 10 * MINUTE_MS);
    const other = folder('grace-y-old', 60 * MINUTE_MS);
    await sweepLeftFolders('grace-x-', 10 * MINUTE_MS, NOW);
    expect([old, young, other].map((path) => existsSync(path))).toEqual([false, true, true]);
  });

  test('are folders: a file and a link of that name stay, and so does what a link in one leads to', async () => {
    const kept = folder('kept', 60 * MINUTE_MS);
    symlinkSync(kept, join(dir, 'grace-x-link'));
    writeFileSync(join(dir, 'grace-x-file'), '');
    symlinkSync(kept, join(folder('grace-x-old', 0), 'node_modules'));
    await sweepLeftFolders('grace-x-', 0, NOW + 60 * MINUTE_MS);
    expect(existsSync(join(dir, 'grace-x-old'))).toBe(false);
    expect(existsSync(join(kept, 'a file'))).toBe(true);
    expect(lstatSync(join(dir, 'grace-x-link')).isSymbolicLink()).toBe(true);
    expect(existsSync(join(dir, 'grace-x-file'))).toBe(true);
  });

  test('with the copy of a project are removed before the next copy is made', async () => {
    const [old, young] = [folder('grace-scratch-old', 11 * MINUTE_MS), folder('grace-scratch-young', MINUTE_MS)];
    mkdirSync(join(dir, 'project'));
    const copy = await copyProject(join(dir, 'project'));
    await copy?.remove();
    expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
  });
});
