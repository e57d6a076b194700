import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { nodeFiles } from './files.ts';

let dir = '';
const at = (name: string): string => join(dir, name);
beforeEach(async () => void (dir = await fs.mkdtemp(join(tmpdir(), 'grace-files-'))));
afterEach(() => fs.rm(dir, { recursive: true, force: true }));

describe('an atomic write', () => {
  test('takes the place of what was there, with the mode it is given, and leaves nothing beside it', async () => {
    await fs.writeFile(at('a.json'), 'old', { mode: 0o600 });
    await nodeFiles.writeAtomic(at('a.json'), 'new', { mode: 0o640 });
    expect(await fs.readFile(at('a.json'), 'utf8')).toBe('new');
    expect((await nodeFiles.stat(at('a.json')))?.mode).toBe(0o640);
    expect(await fs.readdir(dir)).toEqual(['a.json']);
  });

  test('shows a reader the old or the new content, never a part', async () => {
    const [old, fresh] = ['o'.repeat(2_000_000), 'n'.repeat(1_000_000)];
    await fs.writeFile(at('big'), old);
    const seen = new Set<string>();
    const writing = { isDone: false };
    const written = nodeFiles.writeAtomic(at('big'), fresh).finally(() => (writing.isDone = true));
    while (!writing.isDone) seen.add(await fs.readFile(at('big'), 'utf8'));
    await written;
    seen.add(await fs.readFile(at('big'), 'utf8'));
    for (const text of seen) expect(text === old || text === fresh).toBe(true);
    expect(seen).toContain(fresh);
  });

  test('a reader who has it open goes on with what he opened', async () => {
    await fs.writeFile(at('a'), 'old');
    const handle = await fs.open(at('a'));
    await nodeFiles.writeAtomic(at('a'), 'new');
    expect(await handle.readFile('utf8')).toBe('old');
    await handle.close();
  });

  test('that fails leaves the old content and no half file', async () => {
    await fs.mkdir(at('taken'));
    await fs.writeFile(at('taken/inside'), 'x');
    await expect(nodeFiles.writeAtomic(at('taken'), 'new')).rejects.toMatchObject({ code: 'EISDIR' });
    expect(await fs.readdir(dir)).toEqual(['taken']);
  });

  test('replaces a link, not what it points to', async () => {
    await fs.writeFile(at('target'), 'keep');
    await fs.symlink('target', at('link'));
    await nodeFiles.writeAtomic(at('link'), 'new');
    expect(await fs.readFile(at('target'), 'utf8')).toBe('keep');
    expect((await nodeFiles.stat(at('link')))?.kind).toBe('file');
  });
});

describe('looking', () => {
  test('tells a file, a directory, a link, a socket and a pipe apart, without following the link', async () => {
    await fs.writeFile(at('file'), 'abc');
    await fs.chmod(at('file'), 0o4711);
    await fs.mkdir(at('directory'));
    await fs.symlink('file', at('symlink'));
    const server = createServer().listen(at('socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    const kinds = await Promise.all(['file', 'directory', 'symlink', 'socket'].map(async (name) => (await nodeFiles.stat(at(name)))?.kind));
    server.close();
    expect(kinds).toEqual(['file', 'directory', 'symlink', 'socket']);
    expect(await nodeFiles.stat(at('file'))).toMatchObject({ sizeBytes: 3, mode: 0o4711 });
    expect((await nodeFiles.stat('/dev/null'))?.kind).toBe('other');
  });

  test('what is not there is null, an empty list, or nothing: never an error', async () => {
    await fs.writeFile(at('file'), '');
    await fs.symlink('loop', at('loop'));
    for (const path of [at('none'), at('file/below'), at('loop'), at('n'.repeat(300))]) {
      expect(await nodeFiles.read(path)).toBeNull();
      expect(await nodeFiles.readText(path)).toBeNull();
      expect(await nodeFiles.readRange(path, 0, 5)).toBeNull();
      expect(await nodeFiles.realpath(path)).toBeNull();
      expect(await nodeFiles.list(path)).toEqual([]);
    }
    expect(await nodeFiles.stat(at('none'))).toBeNull();
    expect(await nodeFiles.readLink(at('none'))).toBeNull();
    await expect(nodeFiles.remove(at('none'))).resolves.toBeUndefined();
    await expect(nodeFiles.removeTree(at('none'))).resolves.toBeUndefined();
  });

  test('a directory in the place of a file is an error, not an empty file', async () => {
    await expect(nodeFiles.read(dir)).rejects.toMatchObject({ code: 'EISDIR' });
  });

  test('a pipe is read when somebody writes it, as secret managers do with env files', async () => {
    const own = await fs.mkdtemp(join(tmpdir(), 'grace-pipe-'));
    const pipe = join(own, '.env');
    execFileSync('mkfifo', [pipe]);
    const writer = spawn('sh', ['-c', 'printf "A=1\\nB=2\\n" > "$0"', pipe], { stdio: 'ignore' });
    try {
      expect(await nodeFiles.readText(pipe)).toBe('A=1\nB=2\n');
    } finally {
      writer.kill('SIGKILL');
      await fs.rm(own, { recursive: true });
    }
  });

  test('a pipe is not waited for: there is nothing to read in it, and no text of it', async () => {
    const own = await fs.mkdtemp(join(tmpdir(), 'grace-pipe-'));
    const pipe = join(own, '.env');
    execFileSync('mkfifo', [pipe]);
    onTestFinished(async () => {
      // Whoever waits for a writer all the same is let go: the test fails, and does not hang.
      closeSync(openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK));
      await fs.rm(own, { recursive: true });
    });
    expect(await nodeFiles.readText(pipe)).toBeNull();
    expect(await nodeFiles.read(pipe)).toBeNull();
    expect(await nodeFiles.readText(pipe, 10)).toBe('');
  });

  test('reads no more than it was asked for, from where it was asked to', async () => {
    await fs.writeFile(at('a'), '0123456789');
    expect(await nodeFiles.readText(at('a'), 4)).toBe('0123');
    expect(Buffer.from((await nodeFiles.readRange(at('a'), 8, 100)) ?? []).toString()).toBe('89');
    expect((await nodeFiles.readRange(at('a'), 50, 10))?.length).toBe(0);
    expect((await nodeFiles.read(at('a'), 0))?.length).toBe(0);
  });

  test('a pipe that nobody writes to does not hold it up', async () => {
    const { promisify } = await import('node:util');
    const { execFile } = await import('node:child_process');
    await promisify(execFile)('mkfifo', [at('pipe')]);
    expect((await nodeFiles.read(at('pipe'), 100))?.length).toBe(0);
  });

  test('bytes that are no UTF-8 become replacement characters', async () => {
    await fs.writeFile(at('a'), Buffer.from([0x61, 0xff, 0x62]));
    expect(await nodeFiles.readText(at('a'))).toBe('a\uFFFDb');
  });

  test('names come sorted', async () => {
    for (const name of ['b', 'a', 'C']) await fs.writeFile(at(name), '');
    expect(await nodeFiles.list(dir)).toEqual(['C', 'a', 'b']);
  });

  test('room on the disk is told for a path that does not exist yet', async () => {
    const room = await nodeFiles.diskRoom(at('not/yet/there'));
    expect(room?.totalBytes).toBeGreaterThan(0);
    expect(room?.freeBytes).toBeLessThanOrEqual(room?.totalBytes ?? 0);
    expect(room).toEqual(expect.objectContaining({ totalBytes: (await nodeFiles.diskRoom(dir))?.totalBytes }));
  });
});

test('a copy has the mode of its original', async () => {
  await fs.writeFile(at('a'), 'x');
  await fs.chmod(at('a'), 0o600);
  await nodeFiles.copy(at('a'), at('b'));
  expect(await nodeFiles.stat(at('b'))).toMatchObject({ mode: 0o600, sizeBytes: 1 });
});

test('changing the owner of a link leaves what it points to alone', async () => {
  if (process.getuid?.() !== 0) return;
  await fs.writeFile(at('target'), '');
  await fs.symlink('target', at('link'));
  await nodeFiles.chown(at('link'), 1234, 1234);
  expect([(await nodeFiles.stat(at('link')))?.uid, (await nodeFiles.stat(at('target')))?.uid]).toEqual([1234, 0]);
});
