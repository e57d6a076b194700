import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { PortHolder } from '../../domains/playbooks/index.ts';
import { component } from '../../domains/supervisor/testing.ts';
import { sha256Hex } from '../../kernel/index.ts';
import { nodeFiles } from './files.ts';
import { appearanceOf, hostView, type Appearance } from './host-view.ts';
import { readStat } from './proc.ts';
import { endAfterTest, program, until } from './testing.ts';

let dir = '';
beforeEach(() => void (dir = realpathSync(mkdtempSync(join(tmpdir(), 'grace-view-')))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const SERVER = `import { createServer } from 'node:net';\ncreateServer().listen(0, '127.0.0.1', function () { console.log(process.pid, this.address().port); });\n`;

interface Listening {
  readonly pid: number;
  readonly port: number;
}

/** A server of this directory that a parent, which lives as long as the test, looks after. */
async function attended(args: readonly string[] = ['server.mjs'], env: Record<string, string> = {}, cwd = dir): Promise<Listening> {
  writeFileSync(join(dir, 'server.mjs'), SERVER);
  const { line } = program([process.execPath, ...args], { cwd, env });
  const [pid = 0, port = 0] = (await line()).split(' ').map(Number);
  return { pid, port };
}

/** The same, whose parent has ended. */
async function orphaned(args: readonly string[] = ['server.mjs'], env: Record<string, string> = {}, cwd = dir): Promise<Listening> {
  writeFileSync(join(dir, 'server.mjs'), SERVER);
  const shell = spawn('/bin/sh', ['-c', 'setsid "$0" "$@" & exit 0', process.execPath, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: shell.stdout }), 'line')) as [string];
  const [pid = 0, port = 0] = line.split(' ').map(Number);
  endAfterTest(pid);
  await until(() => readStat(pid)?.parentPid !== shell.pid);
  return { pid, port };
}

interface Told {
  readonly command?: readonly string[];
  readonly cwd?: string;
  readonly managed?: readonly number[];
  readonly appearance?: Appearance;
}

function view(told: Told = {}) {
  const spec = component({ command: told.command ?? [process.execPath, 'server.mjs'], cwd: told.cwd ?? dir });
  return hostView({
    files: nodeFiles,
    installation: 'mine',
    component: (name) => (name === 'api' ? spec : null),
    managedPids: () => new Set(told.managed ?? []),
    packages: async () => ({ manager: 'none', directory: '', lockFile: null, missing: [], damaged: [] }),
    schemaDrift: async () => null,
    appearance: async () => told.appearance ?? null,
    digest: sha256Hex,
  });
}

const relation = async ({ port }: Listening, told: Told = {}): Promise<PortHolder['relation'] | undefined> =>
  (await view(told).portHolder(port, 'api'))?.relation;

/** Whether a process that loses its parent is adopted by one that looks after nobody: in some containers it is not. */
const adopters = ['init', 'systemd', 'tini', 'dumb-init', 'docker-init', 'catatonit', 's6-svscan'];
const isOrphanage = (pid: number): boolean => {
  const parent = readStat(pid)?.parentPid ?? 0;
  return parent <= 1 || adopters.includes(readStat(parent)?.comm ?? '');
};

describe('who holds a port:', () => {
  test('nobody', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    expect(await view().portHolder(port, 'api')).toBeNull();
  });

  test('what this Grace runs now', async () => {
    const it = await attended();
    expect(await relation(it, { managed: [it.pid] })).toBe('managed');
  });

  test('a copy with the mark of this installation that is not among what runs now', async () => {
    expect(await relation(await attended(['server.mjs'], { GRACE_MARK: 'mine/api' }))).toBe('own_stale');
  });

  test('another component of this installation', async () => {
    expect(await relation(await attended(['server.mjs'], { GRACE_MARK: 'mine/web' }))).toBe('own_other');
  });

  test('a copy that another Grace looks after', async () => {
    expect(await relation(await orphaned(['server.mjs'], { GRACE_MARK: 'other/api' }))).toBe('own_other');
  });

  test('a copy that somebody started in a shell, which is still there', async () => {
    expect(await relation(await attended())).toBe('own_other');
  });

  test('a copy whose parent has ended', async () => {
    const it = await orphaned();
    if (!isOrphanage(it.pid)) return;
    expect(await relation(it)).toBe('own_stale');
  });

  test('the same program in another directory', async () => {
    mkdirSync(join(dir, 'elsewhere'));
    expect(await relation(await orphaned(['../server.mjs'], {}, join(dir, 'elsewhere')))).toBe('foreign');
  });

  test.each([
    ['fewer arguments', ['server.mjs'], ['server.mjs', '--queue', 'mail']],
    ['more arguments', ['server.mjs', '--queue', 'mail'], ['server.mjs']],
    ['other arguments', ['server.mjs', '--queue', 'sms'], ['server.mjs', '--queue', 'mail']],
  ])('the same program with %s', async (_what, runs, wanted) => {
    expect(await relation(await orphaned(runs), { command: [process.execPath, ...wanted] })).toBe('foreign');
  });

  test('another program with the same arguments', async () => {
    expect(await relation(await orphaned(), { command: ['python3', 'server.mjs'] })).toBe('foreign');
  });

  test.each([
    ['a shell that replaced itself', ['/bin/sh', '-c', `exec ${process.execPath} server.mjs`]],
    ['a shell with something after it', ['/bin/sh', '-c', `${process.execPath} server.mjs >> out.log 2>&1`]],
    ['env', ['env', 'A=1', process.execPath, 'server.mjs']],
    ['a path of its own', ['/usr/bin/node', 'server.mjs']],
  ])('a copy that is started by %s', async (_what, command) => {
    expect(await relation(await attended(), { command })).toBe('own_other');
  });

  test('a program that renamed itself, by how it looked when it last worked', async () => {
    const RENAMED = `process.title = 'shop: master'; ${SERVER.replace(/import.*;\n/, "const { createServer } = require('node:net');")}`;
    const it = await attended(['-e', RENAMED]);
    await until(() => appearanceOf(it.pid, sha256Hex)?.commandLineDigest === sha256Hex('shop: master'));
    const appearance = appearanceOf(it.pid, sha256Hex);
    expect(await relation(it, { command: ['shopd'] })).toBe('foreign');
    expect(await relation(it, { command: ['shopd'], ...(appearance === null ? {} : { appearance }) })).toBe('own_other');
  });

  test('of a component nobody knows, everything is foreign', async () => {
    const { port } = await attended();
    expect((await view().portHolder(port, 'ghost'))?.relation).toBe('foreign');
  });

  test('says who it is: pid, command, directory, since when', async () => {
    const before = Date.now();
    const { pid, port } = await attended();
    const holder = await view().portHolder(port, 'api');
    expect(holder).toMatchObject({ pid, command: `${process.execPath} server.mjs`, cwd: dir, parentPid: process.pid });
    expect(Math.abs((holder?.startedAtMs ?? 0) - before)).toBeLessThan(20_000);
  });
});

describe('other looks at the machine', () => {
  test('a command is found on the PATH it would be started with, and only when it may be executed', async () => {
    mkdirSync(join(dir, 'bin'));
    writeFileSync(join(dir, 'bin', 'tool'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(join(dir, 'bin', 'plain'), '', { mode: 0o644 });
    mkdirSync(join(dir, 'bin', 'folder'));
    symlinkSync('tool', join(dir, 'bin', 'link'));
    const find = (name: string) => view().findCommand(name, `/nowhere:${join(dir, 'bin')}`);
    expect(await find('tool')).toBe(join(dir, 'bin', 'tool'));
    expect(await find('link')).toBe(join(dir, 'bin', 'link'));
    expect([await find('plain'), await find('folder'), await find('ghost'), await find('./ghost')]).toEqual([null, null, null, null]);
    expect(await find(join(dir, 'bin', 'tool'))).toBe(join(dir, 'bin', 'tool'));
  });

  test('a port that accepts can be connected to, one that is closed cannot', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    expect(await view().canConnect('127.0.0.1', port)).toBe(true);
    server.close();
    expect(await view().canConnect('127.0.0.1', port)).toBe(false);
    expect(await view().canConnect('no-such-host.invalid', 80)).toBe(false);
  });

  test('a socket file tells whether somebody listens there, and nothing when it cannot be asked', async () => {
    const path = join(dir, 'app.sock');
    const server = createServer().listen(path);
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    expect(await view().socketAnswers(path)).toBe(true);
    linkSync(path, join(dir, 'left.sock'));
    server.close();
    await once(server, 'close');
    expect(await view().socketAnswers(join(dir, 'left.sock'))).toBe(false);
    expect(await view().socketAnswers(join(dir, 'ghost.sock'))).toBe(null);
  });

  test('a process is described, and one that is gone is null', async () => {
    const { pid } = await attended();
    expect(await view().process(pid)).toMatchObject({ pid, argv: [process.execPath, 'server.mjs'], cwd: dir });
    process.kill(pid, 'SIGKILL');
    await until(() => (readStat(pid)?.state ?? 'Z') === 'Z');
    expect(await view().process(999_999_999)).toBeNull();
  });

  test('users have names, and numbers where nobody named them', async () => {
    expect(await view().userName(0)).toBe('root');
    expect(await view().userName(54_321)).toBe('54321');
  });

  test('the mounts of a directory begin with the one it is on', async () => {
    expect((await view().mountsBelow('/proc'))[0]).toBe('/proc');
    expect((await view().mountsBelow('/'))[0]).toBe('/');
    expect(await view().mountsBelow('/')).toContain('/proc');
  });

  test('the limits of the machine are numbers', async () => {
    expect(await view().openFilesHardLimit()).toBeGreaterThan(100);
    expect(await view().memoryTotalBytes()).toBeGreaterThan(1e8);
  });
});
