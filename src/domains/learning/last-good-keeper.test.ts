import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeFiles } from '../../adapters/node/files.ts';
import { component } from '../../catalog/families/testing.ts';
import { contentValidity } from '../../catalog/content-validity.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import { LastGoodKeeper, type StoredEntry } from './last-good-keeper.ts';

let dir: string;
beforeEach(async () => {
  dir = await fs.realpath(await fs.mkdtemp(join(tmpdir(), 'grace-keeper-')));
});
afterEach(() => fs.rm(dir, { recursive: true, force: true }));

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await fs.mkdir(dirname(join(dir, path)), { recursive: true });
  await fs.writeFile(join(dir, path), content);
}

/** A keeper that has seen the directory as it is now, when all was well. */
async function taken(...command: string[]): Promise<{ keeper: LastGoodKeeper; spec: ComponentSpec }> {
  const stored = new Map<string, readonly StoredEntry[]>();
  const contents = new Map<string, Uint8Array>();
  const keeper = new LastGoodKeeper({
    clock: { nowMs: () => 0, monotonicMs: () => 0, sleep: () => Promise.resolve() },
    files: nodeFiles,
    store: {
      load: (name) => Promise.resolve(stored.get(name) ?? []),
      replace: (name, entries) => Promise.resolve(void stored.set(name, entries)),
      digests: () => Promise.resolve([...stored.values()].flat().map((entry) => entry.digest)),
    },
    vault: {
      put: (digest, content) => Promise.resolve(void contents.set(digest, content)),
      get: (digest) => Promise.resolve(contents.get(digest) ?? null),
      prune: () => Promise.resolve(),
    },
    checkContent: (path, content) => Promise.resolve(contentValidity(path, content)),
    ownDirs: [],
    keptFiles: () => [],
  });
  const spec = component({ cwd: dir, roots: [dir], command });
  await keeper.take(spec, 'boot_20261122_130038');
  return { keeper, spec };
}

async function broken(keeper: LastGoodKeeper, spec: ComponentSpec): Promise<readonly string[]> {
  return (await keeper.drift(spec, [])).filter((d) => d.isBroken).map((d) => d.message.replace(`${dir}/`, ''));
}

test('misses what the command names, and what its configuration names, but not what comes and goes', async () => {
  await write('db.json', '{}');
  await write('server.conf', `# dir ${dir}/old\ndir ${dir}/data\nlog ./logs\npidfile ./run/x.pid\n`);
  for (const file of ['data/1.bin', 'old/2.bin', 'logs/a.txt', 'run/x.pid', 'mails/1.eml']) await write(file, 'x');
  const { keeper, spec } = await taken('serve', 'server.conf', '--db=db.json');
  expect(await keeper.missingNamed(spec)).toEqual([]);
  for (const path of ['db.json', 'data', 'old', 'logs', 'run', 'mails']) await fs.rm(join(dir, path), { recursive: true });
  expect((await keeper.missingNamed(spec)).toSorted()).toEqual([join(dir, 'data'), join(dir, 'db.json')]);
});

test('accepts that data was moved to where the configuration says now', async () => {
  await write('app.yaml', 'storage: ./storage\n');
  await write('storage/a.json', '{}');
  const { keeper, spec } = await taken('serve', '--config', 'app.yaml');
  await fs.rename(join(dir, 'storage'), join(dir, 'store'));
  expect(await keeper.missingNamed(spec)).toEqual([join(dir, 'storage')]);
  await write('app.yaml', 'storage: ./store\n');
  expect(await keeper.missingNamed(spec)).toEqual([]);
});

test('misses a file whose place a link to nothing has taken, and an index whose parts are still there', async () => {
  await write('db.json', '{}');
  for (const part of ['manifest', '1.base.rdb', '1.incr.aof']) await write(`data/log.aof.${part}`, 'x');
  const { keeper, spec } = await taken('bash', '-c', 'exec serve db.json');
  await fs.rm(join(dir, 'db.json'));
  await fs.symlink('nowhere/db.json', join(dir, 'db.json'));
  await fs.rm(join(dir, 'data/log.aof.manifest'));
  expect((await keeper.missingNamed(spec)).toSorted()).toEqual([join(dir, 'data/log.aof.manifest'), join(dir, 'db.json')]);
});

test('knows a left-over of a file when it sees one', async () => {
  const binary = Uint8Array.from([0, 0xb5, 0, 0x6d, 0x71, 1, 2, 3]);
  await write('broker.db', binary);
  await write('other.db', binary);
  await write('app.conf', 'a = 1\nb = 2\n');
  await write('edited.conf', 'a = 1\nb = 2\n');
  await write('settings.js', 'exports.a = 1;\n');
  const { keeper, spec } = await taken('serve');
  await write('broker.db', 'garbage!');
  await write('other.db', binary.subarray(0, 5));
  await write('app.conf', 'a = 1\nb');
  await write('edited.conf', 'a = 1');
  await fs.rm(join(dir, 'settings.js'));
  await fs.mkdir(join(dir, 'settings.js'));
  const names = (await broken(keeper, spec)).map((message) => message.slice(0, message.indexOf(' ')));
  expect(new Set(names)).toEqual(new Set(['app.conf', 'broker.db', 'other.db', 'settings.js']));
});

test.skipIf(process.getuid?.() !== 0)(
  'sees that another user keeps its user from its data, and lets a deployment by root pass',
  async () => {
    await write('server.conf', `dir ${dir}/data\nroot ${dir}/html\n`);
    for (const file of ['data/1.bin', 'html/index.html', 'mails/1.eml']) await write(file, 'x');
    for (const path of ['data', 'data/1.bin', 'html', 'html/index.html', 'mails']) await fs.chown(join(dir, path), 1234, 1234);
    const { keeper, spec } = await taken('serve', '-c', 'server.conf');
    expect(await keeper.takenAway(spec)).toEqual([]);
    for (const path of ['html', 'html/index.html', 'mails']) await fs.chown(join(dir, path), 0, 0);
    expect(await keeper.takenAway(spec)).toEqual([]);
    await fs.chown(join(dir, 'data'), 0, 0);
    expect(await keeper.takenAway(spec)).toEqual([join(dir, 'data')]);
    await fs.chown(join(dir, 'data'), 1234, 1234);
    await fs.chown(join(dir, 'html/index.html'), 0, 1234);
    await fs.chmod(join(dir, 'html/index.html'), 0o600);
    expect(await keeper.takenAway(spec)).toEqual([join(dir, 'html/index.html')]);
  },
);

test('takes the log that a database begins anew at every start for no loss', async () => {
  await write('db/LOG', 'opened\n'.repeat(20));
  await write('db/CURRENT', 'MANIFEST-000002\n'.repeat(20));
  const { keeper, spec } = await taken('serve');
  await write('db/LOG', '');
  await write('db/CURRENT', '');
  expect(await broken(keeper, spec)).toEqual(['db/CURRENT changed (was 320 bytes, is 0) and cannot be parsed any more']);
});

test('sees that a changed configuration leads away from the data, and lets a real move pass', async () => {
  await write('app.yaml', 'storage: ./storage\nlogs: ./logs\nport: 1\n');
  for (const file of ['storage/a/package.json', 'logs/x.txt']) await write(file, 'x');
  const { keeper, spec } = await taken('serve', '--config', 'app.yaml');
  const left = async (config: string): Promise<unknown> => {
    await write('app.yaml', config);
    return keeper.dataLeftBehind(spec);
  };
  expect(await left('storage: ./storage\nlogs: ./logs\nport: 2\n')).toBeNull();
  expect(await left('storage: ./storrage\nlogs: ./logs\nport: 1\n')).toEqual({
    config: join(dir, 'app.yaml'),
    data: join(dir, 'storage'),
    now: join(dir, 'storrage'),
  });
  expect(await left('storage: ./storage\nlogs: ./journal\nport: 1\n')).toBeNull();
  await fs.rename(join(dir, 'storage'), join(dir, 'storrage'));
  expect(await left('storage: ./storrage\nlogs: ./logs\nport: 3\n')).toBeNull();
});
