import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { copyVault } from '../../adapters/node/copy-vault.ts';
import { nodeFiles } from '../../adapters/node/files.ts';
import { lastGoodStore, openStore, type OpenedStore } from '../../adapters/store/index.ts';
import { contentValidity } from '../../catalog/content-validity.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import { component, SimulatedClock } from '../supervisor/testing.ts';
import { LastGoodKeeper } from './last-good-keeper.ts';

let dir = '';
let app = '';
let store: OpenedStore;
let spec: ComponentSpec;
const key = randomBytes(32);

beforeEach(async () => {
  dir = await fs.realpath(await fs.mkdtemp(join(tmpdir(), 'grace-copies-')));
  app = join(dir, 'app');
  await fs.mkdir(app);
  store = await openStore(join(dir, 'grace', 'grace.db'));
  spec = component({ cwd: app, roots: [app], command: ['node', 'server.js'], logFile: join(app, 'api.log') });
});
afterEach(async () => {
  store.close();
  await fs.rm(dir, { recursive: true, force: true });
});

/** What the next Grace sees: nothing in memory, everything from disk. */
function keeper(): LastGoodKeeper {
  return new LastGoodKeeper({
    clock: new SimulatedClock(),
    files: nodeFiles,
    store: lastGoodStore(store.db),
    vault: copyVault(join(dir, 'grace', 'copies'), key, nodeFiles),
    checkContent: async (path, content) => contentValidity(path, content),
    ownDirs: [join(app, 'own')],
    keptFiles: () => [],
  });
}

let stamp = Date.UTC(2026, 0, 1) / 1000;
/** Writes a file that is newer than all before it, whatever the machine's clock says. */
async function write(path: string, content: string | Uint8Array): Promise<void> {
  await fs.mkdir(dirname(join(app, path)), { recursive: true });
  await fs.writeFile(join(app, path), content);
  await fs.utimes(join(app, path), ++stamp, stamp);
}

async function takes(bootId = 'boot_1'): Promise<void> {
  await keeper().take(spec, bootId);
}
async function contentOf(path: string): Promise<string | null> {
  const it = keeper();
  const entry = await it.entry('api', join(app, path));
  const content = entry === null ? null : await it.content(entry);
  return content === null ? null : Buffer.from(content).toString();
}
const drift = (mentions: readonly string[] = []) => keeper().drift(spec, mentions);
const paths = async (): Promise<readonly string[]> => (await keeper().entries('api')).map((e) => e.path.slice(app.length + 1));

describe('what is kept', () => {
  test('everything is on the map, and the content of small files that configure something', async () => {
    await write('config.yaml', 'a: 1\n');
    await write('server.js', 'go()\n');
    await write('data/big.json', 'x'.repeat(512 * 1024 + 1));
    await write('data/photo.jpg', 'not text');
    await fs.symlink('config.yaml', join(app, 'link.yaml'));
    await takes();
    expect(await contentOf('config.yaml')).toBe('a: 1\n');
    expect(await contentOf('server.js')).toBe('go()\n');
    expect([await contentOf('data/big.json'), await contentOf('data/photo.jpg'), await contentOf('link.yaml')]).toEqual([null, null, null]);
    expect(await paths()).toEqual(['config.yaml', 'data', 'data/big.json', 'data/photo.jpg', 'link.yaml', 'server.js']);
    expect(await keeper().entry('api', join(app, 'link.yaml'))).toMatchObject({ kind: 'symlink', digest: 'config.yaml' });
  });

  test.each([
    'package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lockb', 'Pipfile.lock', 'poetry.lock', 'uv.lock',
    'requirements.txt', 'Gemfile.lock', 'Gemfile', 'go.sum', 'go.mod', 'Cargo.lock', 'composer.lock', 'gradle.lockfile',
    'tls/site.pem', 'tls/site.crt', 'tls/site.der', 'tls/site.key', 'tls/site.p12', 'tls/site.pfx', 'tls/site.jks', 'tls/ca.keystore',
    '.env', '.env.local', 'Procfile', 'app.conf', 'nginx.conf', '.npmrc',
  ])('%s', async (name) => {
    await write(name, 'kept');
    await takes();
    expect(await contentOf(name)).toBe('kept');
  }); // prettier-ignore

  test('whatever the start command names, also inside of a shell line, whatever it is called', async () => {
    spec = component({
      cwd: app,
      roots: [app],
      command: ['sh', '-c', 'exec ./ledger --rules=conf/tariffs.v2 -d "data/seed.bin"'],
      logFile: '',
    });
    for (const name of ['conf/tariffs.v2', 'data/seed.bin', 'data/other.bin']) await write(name, 'kept');
    await takes();
    expect([await contentOf('conf/tariffs.v2'), await contentOf('data/seed.bin'), await contentOf('data/other.bin')]).toEqual([
      'kept',
      'kept',
      null,
    ]);
  });

  test('a file of exactly the limit is kept', async () => {
    await write('exact.json', 'x'.repeat(512 * 1024));
    await takes();
    expect(await contentOf('exact.json')).toHaveLength(512 * 1024);
  });

  test.each(['node_modules', '.git', '.grace', '__pycache__', '.venv', 'target', '.next', 'own'])(
    '%s is rebuilt by others, or not the service’s',
    async (name) => {
      await write(`${name}/file.json`, '{}');
      await write('file.json', '{}');
      await takes();
      expect(await paths()).toEqual(['file.json']);
    },
  );

  test('its own log and what Grace itself left beside broken files are no part of the service', async () => {
    for (const name of ['api.log', 'config.yaml.broken-20260101', '.a1b2.grace-tmp']) await write(name, 'x');
    await takes();
    expect(await paths()).toEqual([]);
  });

  test('an env file outside the directory is kept with what lies beside it', async () => {
    await fs.mkdir(join(dir, 'secrets'));
    await fs.writeFile(join(dir, 'secrets', 'prod'), 'A=1\n');
    spec = { ...spec, envFiles: [join(dir, 'secrets', 'prod')] };
    await takes();
    const it = keeper();
    const entry = await it.entry('api', join(dir, 'secrets', 'prod'));
    expect(entry?.hasContent).toBe(true);
  });

  test('a later good boot takes the newer content', async () => {
    await write('config.yaml', 'a: 1\n');
    await takes();
    await write('config.yaml', 'a: 2\n');
    await takes('boot_2');
    expect(await contentOf('config.yaml')).toBe('a: 2\n');
    expect(await drift()).toEqual([]);
  });

  test.each([
    ['truncated', '{"a": '],
    ['empty', ''],
    ['full of NUL bytes', '\0\0\0\0\0\0\0\0'],
  ])('a file that is %s now keeps its older copy', async (_what, broken) => {
    await write('config.json', '{"a": 1}');
    await takes();
    await write('config.json', broken);
    await takes('boot_2');
    expect(await contentOf('config.json')).toBe('{"a": 1}');
    expect(await drift()).toMatchObject([{ kind: 'changed', isBroken: true, canRestore: true }]);
  });

  test('what is gone at a good boot is not missed any more', async () => {
    await write('old.json', '{}');
    await takes();
    await fs.rm(join(app, 'old.json'));
    await takes('boot_2');
    expect([await paths(), await drift()]).toEqual([[], []]);
  });
});

describe('what is different', () => {
  test('nothing, when nothing is', async () => {
    await write('config.yaml', 'a: 1\n');
    await takes();
    expect(await drift()).toEqual([]);
  });

  test('a file that was only touched is the same', async () => {
    await write('config.yaml', 'a: 1\n');
    await takes();
    await write('config.yaml', 'a: 1\n');
    expect(await drift()).toEqual([]);
  });

  test('a changed file with its sizes, a missing one, a link that points elsewhere', async () => {
    await write('changed.txt', 'abc');
    await write('missing.txt', 'abc');
    await fs.symlink('changed.txt', join(app, 'link'));
    await takes();
    await write('changed.txt', 'abcde');
    await fs.rm(join(app, 'missing.txt'));
    await fs.rm(join(app, 'link'));
    await fs.symlink('elsewhere', join(app, 'link'));
    const found = (await drift()).map((d) => [d.kind, d.message.replace(`${app}/`, '')]);
    expect(found).toEqual(
      expect.arrayContaining([
        ['changed', 'changed.txt changed (was 3 bytes, is 5)'],
        ['missing', 'missing.txt is gone'],
        ['changed', 'link points elsewhere'],
      ]),
    );
    expect(found).toHaveLength(3);
  });

  test('a change that keeps size but not content', async () => {
    await write('config.yaml', 'a: 1\n');
    await takes();
    await write('config.yaml', 'a: 2\n');
    expect(await drift()).toMatchObject([{ kind: 'changed', message: expect.stringContaining('same size') }]);
  });

  test('of a whole tree that is gone, the top and what could be put back', async () => {
    await write('data/deep/one.bin', 'x');
    await write('data/deep/two.bin', 'x');
    await write('data/settings.json', '{}');
    await takes();
    await fs.rm(join(app, 'data'), { recursive: true });
    expect((await drift()).map((d) => d.subject.slice(app.length + 1)).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'data',
      'data/settings.json',
    ]);
  });

  test('owner and mode, of files and directories', async () => {
    await write('key.pem', 'x');
    await write('data/x.json', '{}');
    await fs.chmod(join(app, 'key.pem'), 0o600);
    await takes();
    await fs.chmod(join(app, 'key.pem'), 0o644);
    await fs.chmod(join(app, 'data'), 0o500);
    expect((await drift()).map((d) => [d.kind, d.message.replace(`${app}/`, '')])).toEqual(
      expect.arrayContaining([
        ['mode', 'key.pem has mode 644, had 600'],
        ['mode', 'data has mode 500, had 755'],
      ]),
    );
    if (process.getuid?.() !== 0) return;
    await fs.chown(join(app, 'key.pem'), 1234, 1235);
    expect(await drift()).toContainEqual(
      expect.objectContaining({ kind: 'owner', message: expect.stringContaining('belongs to 1234:1235, belonged to 0:0') }),
    );
  });

  test('variables of an env file that are gone or have another value, and never the values', async () => {
    await write('.env', 'DB_PASSWORD=old-secret\nPORT=3000\nSAME=1\n');
    await takes();
    await write('.env', 'PORT=4000\nSAME=1\nNEW=x\n');
    const found = await drift();
    expect(found.map((d) => [d.kind, d.subject.replace(`${app}/`, '')])).toEqual(
      expect.arrayContaining([
        ['env_key_missing', 'DB_PASSWORD'],
        ['env_key_changed', 'PORT'],
        ['changed', '.env'],
      ]),
    );
    expect(found).toHaveLength(3);
    expect(JSON.stringify(found)).not.toMatch(/old-secret|3000|4000/);
  });

  test('the most suspicious first: what is broken, what the command names, what the output mentions', async () => {
    for (const name of ['a.txt', 'config.json', 'server.js', 'mentioned.txt']) await write(name, '{"a": 1}');
    await takes();
    for (const name of ['a.txt', 'server.js', 'mentioned.txt']) await write(name, 'go(2)');
    await write('config.json', '{"a": ');
    const order = (await drift(['Error: cannot read mentioned.txt'])).map((d) => d.subject.slice(app.length + 1));
    expect(order[0]).toBe('config.json');
    expect(order.at(-1)).toBe('a.txt');
  });
});

describe('what is there now', () => {
  test('is mapped as it would be kept, and nothing is', async () => {
    await write('config.yaml', 'a: 1\n');
    await write('photo.jpg', 'x');
    await fs.symlink('config.yaml', join(app, 'link.yaml'));
    const present = await keeper().present(spec);
    await takes();
    const kept = await keeper().entries('api');
    expect(present.map((e) => ({ ...e, bootId: '' }))).toEqual(kept.map((e) => ({ ...e, bootId: '' })));
    await write('config.yaml', 'a: 2\n');
    await write('new.ini', 'b=1\n');
    const later = await keeper().present(spec);
    expect(later.find((e) => e.path.endsWith('config.yaml'))?.digest).not.toBe(kept.find((e) => e.path.endsWith('config.yaml'))?.digest);
    expect(later.map((e) => e.path)).toContain(join(app, 'new.ini'));
    expect(await contentOf('config.yaml')).toBe('a: 1\n');
  });
});

test('a component that was never good has nothing to compare with', async () => {
  await write('config.yaml', 'a: 1\n');
  expect([await drift(), await keeper().entries('api'), await keeper().entry('api', join(app, 'config.yaml'))]).toEqual([[], [], null]);
});

test('a copy that was lost is null, not an error', async () => {
  await write('config.yaml', 'a: 1\n');
  await takes();
  await fs.rm(join(dir, 'grace', 'copies'), { recursive: true });
  expect(await contentOf('config.yaml')).toBeNull();
});
