import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  statSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { parseEnv } from 'node:util';
import { seededRandom } from '../../kernel/index.ts';
import { RecordedFailureInvalid } from './errors.ts';
import type { Difference, RecordedFailure } from './recorded-failure.ts';

/** In the place of a value that was another one. */
const PLACEHOLDER = 'grace-placeholder';

/**
 * Makes the world of a sandbox as it was when the failure happened.
 * @param root   the sandbox's copy of the project: nothing outside of it is touched, whatever the file says
 * @param cwd    the component's directory in it, to which the paths of the record are relative
 * @returns variables that must not be set
 * @throws RecordedFailureInvalid when a path leads out of the sandbox
 */
export async function applyBreakage(record: RecordedFailure, file: string, root: string, cwd: string): Promise<readonly string[]> {
  const unset: string[] = [];
  for (const difference of record.world) {
    if ('variable' in difference) unset.push(difference.variable);
    else if ('envFile' in difference) breakEnvFile(inside(difference.envFile, file, root, cwd), difference);
    else {
      const path = inside(difference.path, file, root, cwd);
      // What lies behind a link would be written to: it may lead to nothing, or stay in the sandbox.
      if (difference.was === 'link' && existsSync(resolve(dirname(path), difference.to)))
        inside(resolve(dirname(path), difference.to), file, root, cwd);
      await breakPath(path, difference);
    }
  }
  return unset;
}

async function breakPath(path: string, difference: Extract<Difference, { path: string }>): Promise<void> {
  if (difference.was !== 'missing') mkdirSync(dirname(path), { recursive: true });
  switch (difference.was) {
    case 'missing':
      return rmSync(path, { recursive: true, force: true });
    case 'directory':
      rmSync(path, { recursive: true, force: true });
      mkdirSync(path);
      return;
    case 'text':
      return write(path, difference.text.replaceAll('{{dead pid}}', String(deadPid())));
    case 'cut':
      if (!existsSync(path)) return write(path, '');
      return truncateSync(path, Math.min(difference.bytes, statSync(path).size));
    case 'damaged':
      return write(path, damaged(path, difference.intactBytes, difference.bytes));
    case 'link':
      rmSync(path, { recursive: true, force: true });
      return symlinkSync(difference.to, path);
    case 'dead socket':
      rmSync(path, { recursive: true, force: true });
      return deadSocket(path);
    case 'mode':
      return existsSync(path) ? chmodSync(path, Number.parseInt(difference.mode, 8)) : undefined;
  }
}

/** Into the file that is there, so that its mode stays; in the place of anything else. */
function write(path: string, content: string | Uint8Array): void {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) rmSync(path, { recursive: true, force: true });
  writeFileSync(path, content);
}

function damaged(path: string, intactBytes: number, size: number): Uint8Array {
  const before = statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path) : Buffer.alloc(0);
  const random = seededRandom(1); // the same noise each time: a test that fails can be repeated
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = i < intactBytes && i < before.length ? (before[i] ?? 0) : Math.floor(random.next() * 256);
  return bytes;
}

function breakEnvFile(path: string, { missing, changed }: Extract<Difference, { envFile: string }>): void {
  if (!existsSync(path)) return;
  const keyOf = (line: string): string => /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=/.exec(line)?.[1] ?? '';
  const before = parseEnv(readFileSync(path, 'utf8'));
  // A value may go over several lines: then the file is written anew, without comments, and stays the same to whoever reads it.
  const isPlain = Object.values(before).every((value) => !(value ?? '').includes('\n'));
  const lines = isPlain
    ? readFileSync(path, 'utf8').split('\n')
    : Object.entries(before).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const after = lines
    .filter((line) => !missing.includes(keyOf(line)))
    .map((line) => (changed.includes(keyOf(line)) ? `${keyOf(line)}=${PLACEHOLDER}` : line));
  write(path, after.join('\n'));
}

/** A socket file whose listener is gone: closing one would remove its file, so it is bound under another name. */
function deadSocket(path: string): Promise<void> {
  const given = join(dirname(path), `.${basename(path)}.grace`);
  return new Promise((resolved, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(given, () => {
      renameSync(given, path);
      server.close(() => resolved());
    });
  });
}

/** A pid that nobody has now. */
function deadPid(): number {
  for (let pid = 32_000; pid > 2; pid--) if (!existsSync(`/proc/${pid}`)) return pid;
  return 99_999;
}

function inside(path: string, file: string, root: string, cwd: string): string {
  const at = resolve(cwd, path);
  let parent = dirname(at);
  while (!existsSync(parent)) parent = dirname(parent);
  const real = join(realpathSync(parent), relative(parent, at));
  if (at === root || !real.startsWith(realpathSync(root) + sep)) throw new RecordedFailureInvalid(file, `${path} leads out of the project`);
  return at;
}
