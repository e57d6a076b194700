import { existsSync, readFileSync } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import type { Machine } from '../../domains/preflight/index.ts';
import { codeOf, type Spawner } from '../../kernel/index.ts';
import { groupAllowance } from './control-group.ts';
import { parseMounts, pickMounts } from './mounts.ts';
import { readArgv, readCwd, readStat } from './proc.ts';

const ASK_MS = 2000;
const COMMAND_CHARS = 160;
/** The status bit of `adjtimex` that says that nothing keeps the clock. @see adjtimex(2), STA_UNSYNC */
const STA_UNSYNC = 0x40;
/** @see capabilities(7) */
const CAP_SYS_RESOURCE = 1n << 24n;

/**
 * The machine as it is now.
 * @param root   where `/proc`, `/sys` and `/etc` begin; another one in tests
 */
export function machineView(spawner: Spawner, root = '/'): Machine {
  const read = (path: string): string => {
    try {
      return readFileSync(join(root, path), 'utf8');
    } catch {
      return ''; // not there, or not ours to see: then nobody can tell
    }
  };
  return {
    async fileSystemOf(path) {
      const mounts = pickMounts(parseMounts(read('proc/self/mountinfo')), [path]).filter(
        ({ point }) => point === '/' || `${path}/`.startsWith(`${point}/`),
      );
      const holder = mounts.toSorted((a, b) => b.point.length - a.point.length)[0];
      return holder === undefined ? null : { point: holder.point, type: holder.type, isReadOnly: holder.isReadOnly };
    },
    mountsBelow: async (dir) =>
      pickMounts(parseMounts(read('proc/self/mountinfo')), [dir])
        .filter(({ point }) => point.startsWith(`${dir}/`))
        .map(({ point, type, isReadOnly }) => ({ point, type, isReadOnly })),
    mayWriteIn: (dir, user) => (user === null ? mayWeWriteIn(dir) : mayWriteByMode(dir, userNamed(user, read))),
    async openFilesLimit() {
      const [, soft, hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(read('proc/self/limits')) ?? [];
      const capabilities = BigInt(`0x${/^CapEff:\s+([0-9a-f]+)/m.exec(read('proc/self/status'))?.[1] ?? '0'}`);
      const mayRaise = (capabilities & CAP_SYS_RESOURCE) !== 0n;
      return soft === undefined || hard === undefined ? null : { soft: limitOf(soft), hard: limitOf(hard), mayRaise };
    },
    async openFilesOfAll() {
      const [, used, max] = /^(\d+)\s+\d+\s+(\d+)/.exec(read('proc/sys/fs/file-nr')) ?? [];
      return max === undefined ? NOBODY_KNOWS : { max: Number(max), left: Math.max(0, Number(max) - Number(used)) };
    },
    group: async () => ({ memory: groupAllowance('memory', root), tasks: groupAllowance('pids', root) }),
    async memory() {
      const info = read('proc/meminfo');
      const bytes = (name: string): number | null => {
        const kib = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(info)?.[1];
        return kib === undefined ? null : Number(kib) * 1024;
      };
      const [total, available] = [bytes('MemTotal'), bytes('MemAvailable')];
      if (total === null || available === null) return null;
      const [limit, committed] = [bytes('CommitLimit'), bytes('Committed_AS')];
      const isStrict = read('proc/sys/vm/overcommit_memory').trim() === '2' && limit !== null && committed !== null;
      return { total, available, commitLeft: isStrict ? Math.max(0, limit - committed) : null };
    },
    async isClockKept() {
      const ask = async (argv: readonly string[]): Promise<string> => {
        const { exitCode, stdout } = await spawner.run(argv, { cwd: '/', env: { PATH: process.env['PATH'] ?? '' }, timeoutMs: ASK_MS });
        return exitCode === 0 ? stdout : '';
      };
      // It asks systemd, and takes a while to find that there is none. @see sd_booted(3)
      if (existsSync(join(root, 'run/systemd/system'))) {
        const said = (await ask(['timedatectl', 'show', '-p', 'NTPSynchronized', '--value'])).trim();
        if (said === 'yes' || said === 'no') return said === 'yes';
      }
      if (!(process.env['PATH'] ?? '').split(delimiter).some((dir) => existsSync(join(dir, 'adjtimex')))) return null;
      const status = /status:\s*(\d+)/.exec(await ask(['adjtimex', '--print']))?.[1];
      return status === undefined ? null : (Number(status) & STA_UNSYNC) === 0;
    },
    async watchLimits() {
      const watches = read('proc/sys/fs/inotify/max_user_watches').trim();
      const instances = read('proc/sys/fs/inotify/max_user_instances').trim();
      return watches === '' || instances === '' ? null : { watches: Number(watches), instances: Number(instances) };
    },
    async process(pid) {
      const found = readStat(pid);
      if (found === null) return null;
      const argv = readArgv(pid);
      const command = (argv.join(' ').replace(/\s+/g, ' ').trim() || found.comm).slice(0, COMMAND_CHARS);
      return { command, argv, cwd: readCwd(pid), state: found.state };
    },
  };
}

const NOBODY_KNOWS = { max: null, left: null } as const;

function limitOf(text: string): number {
  return text === 'unlimited' ? Infinity : Number(text);
}

/** Asked of the kernel, which knows read-only file systems, access lists and capabilities. */
async function mayWeWriteIn(dir: string): Promise<boolean | null> {
  try {
    await access(dir, constants.W_OK | constants.X_OK);
    return (await stat(dir)).isDirectory() ? true : null;
  } catch (error) {
    return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR' ? null : false;
  }
}

interface Account {
  readonly uid: number;
  readonly gids: ReadonlySet<number>;
}

function userNamed(user: string, read: (path: string) => string): Account | null {
  const rows = (path: string): readonly (readonly string[])[] =>
    read(path)
      .split('\n')
      .map((line) => line.split(':'));
  const row = rows('etc/passwd').find(([name, , uid]) => name === user || uid === user);
  if (row === undefined) return /^\d+$/.test(user) ? { uid: Number(user), gids: new Set() } : null;
  const groups = rows('etc/group').filter(([, , , members]) => members?.split(',').includes(row[0] ?? '') === true);
  return { uid: Number(row[2]), gids: new Set([Number(row[3]), ...groups.map(([, , gid]) => Number(gid))]) };
}

/** Write and enter on the directory, enter on all above it. */
async function mayWriteByMode(dir: string, account: Account | null): Promise<boolean | null> {
  if (account === null) return null;
  let wanted = constants.W_OK | constants.X_OK;
  for (let at = dir; ; at = dirname(at)) {
    const found = await stat(at).catch(() => null); // links followed, as the service does
    if (found === null || !found.isDirectory()) return null;
    const shift = found.uid === account.uid ? 6 : account.gids.has(found.gid) ? 3 : 0;
    if (account.uid !== 0 && ((found.mode >> shift) & wanted) !== wanted) return false;
    if (at === dirname(at)) return true;
    wanted = constants.X_OK;
  }
}
