import { mkdirSync, mkdtempSync, readdirSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeFiles } from '../adapters/node/files.ts';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { Redactor } from '../domains/incidents/index.ts';
import { PrimitiveMisuse } from '../domains/playbooks/index.ts';
import type { ComponentSpec } from '../domains/supervisor/index.ts';
import { component } from '../domains/supervisor/testing.ts';
import { primitiveContext, type PrimitiveParts } from './primitive-context.ts';

let dir = '';
const at = (...names: readonly string[]): string => join(dir, ...names);
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'grace-context-')));
  for (const name of ['app', 'app/data', 'app2', 'outside', 'shared', 'secrets']) mkdirSync(at(name));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function context(change: Partial<ComponentSpec> = {}, redactor = new Redactor()) {
  const spec = component({ cwd: at('app'), roots: [at('app'), at('shared')], ...change });
  const parts = {
    files: nodeFiles,
    spawner: nodeSpawner,
    redactor,
    dataDir: at('.grace'),
    portNamedBy: async (...asked: readonly unknown[]) => [asked.join(' ')],
    environmentOf: async () => ({ PATH: process.env['PATH'] ?? '', A: 'component' }),
  };
  return primitiveContext(parts as unknown as PrimitiveParts, spec, new AbortController().signal, () => undefined);
}

describe('a path is inside', () => {
  test.each([
    ['relative to the component', 'data/x.json', 'app/data/x.json'],
    ['that does not exist yet', 'new/dir/x.json', 'app/new/dir/x.json'],
    ['absolute', () => at('app/data'), 'app/data'],
    ['in another root', () => at('shared/x'), 'shared/x'],
    ['with detours that stay inside', 'data/../x', 'app/x'],
    ['that only looks like a way out', '..data', 'app/..data'],
  ])('%s', async (_what, path, expected) => {
    expect(await context().confine(typeof path === 'string' ? path : path())).toBe(at(expected));
  });

  test('beside an env file elsewhere, since that file belongs to the component', async () => {
    expect(await context({ envFiles: [at('secrets/.env')] }).confine(at('secrets/.env'))).toBe(at('secrets/.env'));
  });

  test('behind a link that stays inside', async () => {
    symlinkSync('data', at('app/link'));
    expect(await context().confine('link/x')).toBe(at('app/link/x'));
  });

  test('when it is a link itself, wherever that leads: the link is what would be changed', async () => {
    symlinkSync('/etc/passwd', at('app/link'));
    expect(await context().confine('link')).toBe(at('app/link'));
  });

  test('when the root itself is reached by a link, as a current release is', async () => {
    symlinkSync('app', at('current'));
    const confine = context({ cwd: at('current'), roots: [at('current')] }).confine;
    expect(await confine('data/x')).toBe(at('current/data/x'));
    expect(await confine(at('app/data/x'))).toBe(at('app/data/x'));
  });
});

describe('a path is outside, and refused by name:', () => {
  test.each([
    ['above', '../outside/x'],
    ['above, by a detour', 'data/../../outside/x'],
    ['absolute', '/etc/passwd'],
    ['the root of all', '/'],
    ['beside, with a name that begins alike', () => at('app2/x')],
    ['the parent', '..'],
  ])('%s', async (_what, path) => {
    const asked = typeof path === 'string' ? path : path();
    await expect(context().confine(asked)).rejects.toThrow(PrimitiveMisuse);
    await expect(context().confine(asked)).rejects.toThrow('outside the directories of api');
  });

  test.each([
    ['a link', () => symlinkSync(at('outside'), at('app/link'))],
    [
      'a chain of links',
      () => {
        symlinkSync(at('outside'), at('app/data/second'));
        symlinkSync('data/second', at('app/link'));
      },
    ],
    ['a relative link', () => symlinkSync('../outside', at('app/link'))],
    ['a link to a place that does not exist yet', () => symlinkSync(at('outside/later'), at('app/link'))],
    [
      'a link whose target is behind another one',
      () => {
        symlinkSync(at('outside'), at('app/data/door'));
        symlinkSync('data/door/later', at('app/link'));
      },
    ],
  ])('behind %s', async (_what, make) => {
    make();
    await expect(context().confine('link/x')).rejects.toThrow(PrimitiveMisuse);
    await expect(context().confine('link/new/deep/x')).rejects.toThrow(PrimitiveMisuse);
  });

  test('behind links that lead to each other', async () => {
    symlinkSync('b', at('app/a'));
    symlinkSync('a', at('app/b'));
    await expect(context().confine('a/x')).rejects.toThrow();
  });

  test('below a file', async () => {
    writeFileSync(at('app/file'), '');
    expect(await context().confine('file/x')).toBe(at('app/file/x')); // nothing can be there; the system refuses it
  });
});

describe('a helper command', () => {
  test('runs in the directory and environment of the component, and with what it is given beside', async () => {
    const result = await context().run(['/bin/sh', '-c', 'echo "$PWD $A $B"'], { timeoutMs: 20_000, env: { B: 'given' } });
    expect(result.stdout).toBe(`${at('app')} component given\n`);
  });

  test('says nothing that is a secret', async () => {
    const redactor = new Redactor();
    redactor.learn(['tops3cret']);
    const result = await context({}, redactor).run(['/bin/sh', '-c', 'echo tops3cret; echo tops3cret >&2'], { timeoutMs: 20_000 });
    expect([result.stdout, result.stderr]).toEqual(['[redacted]\n', '[redacted]\n']);
  });
});

test('files are changed where the component may, and where Grace keeps things, whatever was put in the place of a folder', async () => {
  const { files, backupDir } = context();
  mkdirSync(at('.grace/storage/aside'), { recursive: true });
  await files.writeAtomic(at('app/data/x.json'), '1');
  await files.rename(at('app/data/x.json'), join(backupDir, 'x.json'));
  await files.copy(join(backupDir, 'x.json'), at('shared/x.json'));
  await files.makeDir(at('app/new/deep'));
  await files.remove(at('app/none/at/all'));
  for (const outside of [at('outside/x'), at('app2/x')]) await expect(files.writeAtomic(outside, '1')).rejects.toThrow(PrimitiveMisuse);
  renameSync(at('app/data'), at('app/data.real'));
  symlinkSync(at('outside'), at('app/data'));
  await expect(files.writeAtomic(at('app/data/x.json'), '1')).rejects.toThrow(PrimitiveMisuse);
  await expect(files.rename(at('shared/x.json'), at('app/data/x.json'))).rejects.toThrow(PrimitiveMisuse);
  await expect(files.removeTree(at('app/data/x'))).rejects.toThrow(PrimitiveMisuse);
  expect(readdirSync(at('outside'))).toEqual([]);
  expect(readdirSync(at('shared'))).toEqual(['x.json']);
});

test('what is moved aside goes to Grace’s own disk', () => {
  expect(context().backupDir).toBe(at('.grace/storage/aside'));
});

test('who else names a port is asked for the component it is about', async () => {
  expect(await context({ name: 'web' }).portNamedBy(3000, 'PORT')).toEqual(['web 3000 PORT']);
});
