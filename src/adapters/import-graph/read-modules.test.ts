import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readModules } from './read-modules.ts';

function filesOf(files: Readonly<Record<string, string>>): readonly string[] {
  const dir = mkdtempSync(join(tmpdir(), 'grace-read-modules-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return Object.entries(files).map(([name, text]) => {
    const path = join(dir, name);
    writeFileSync(path, text);
    return path;
  });
}

test('what can be read is read, whatever stands beside it', async () => {
  const paths = filesOf({
    'a.ts': 'export async function f(): Promise<void> {}\n',
    'b.js': 'function (',
    'c.js': `${'function f(){'.repeat(3000)}${'}'.repeat(3000)}`,
    'd.js': 'async function g() {}\ng();\n',
  });
  const found = await readModules([...paths, '/nowhere/e.js'], new AbortController().signal);
  expect([...found.keys()].map((path) => path.slice(-4))).toEqual(expect.arrayContaining(['a.ts', 'd.js']));
  expect(found.get(paths[3] ?? '')?.dropped).toEqual([{ callee: ['g'], line: 2 }]);
  expect(found.has(paths[1] ?? '')).toBe(false);
});

test('it ends when it is told to', async () => {
  const stop = new AbortController();
  const reading = readModules(filesOf({ 'a.js': 'f();\n' }), stop.signal);
  stop.abort(new Error('Grace ends'));
  await expect(reading).rejects.toThrow('Grace ends');
});
