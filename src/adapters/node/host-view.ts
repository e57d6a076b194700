import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { connect } from 'node:net';
import { codeOf, type Files } from '../../kernel/index.ts';
import type { HostView, PackageState, PortHolder, ProcessView, SchemaDrift } from '../../domains/playbooks/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { isPortFree, pidsListeningOn } from './ports.ts';
import { MARK, readArgv, readCwd, readEnvironmentVariable, readStat, readUser, startedAtMs } from './proc.ts';

export interface HostViewOptions {
  readonly files: Files;
  readonly installation: string;
  component(name: string): ComponentSpec | null;
  /** Pids of everything this Grace runs now. */
  managedPids(): ReadonlySet<number>;
  packages(cwd: string): Promise<PackageState>;
  schemaDrift(component: string): Promise<SchemaDrift | null>;
  /** How the component's listening process called itself when it last worked: programs rename themselves. */
  appearance(component: string): Promise<Appearance | null>;
  /** Arguments may hold secrets: what is remembered of a command line is this. */
  digest(text: string): string;
}

/** What a process shows of itself. */
export interface Appearance {
  readonly executable: string;
  readonly commandLineDigest: string;
}

const CONNECT_MS = 1500;
/** Programs that take over processes whose parent ended: such a parent looks after nobody. */
const REAPERS = new Set(['init', 'systemd', 'tini', 'dumb-init', 'docker-init', 'catatonit', 's6-svscan']);
/** A process that says who it is only by name. */
const COMMAND_CHARS = 160;

export function hostView(options: HostViewOptions): HostView {
  const { files } = options;
  return {
    async portHolder(port, component): Promise<PortHolder | null> {
      if (port > 0 && (await isPortFree(options.component(component)?.host ?? '127.0.0.1', port))) return null;
      const pid = pidsListeningOn(port)[0];
      if (pid === undefined) return isTaken(port) ? UNSEEN : null;
      const view = viewOf(pid);
      if (view === null) return null;
      return {
        ...view,
        startedAtMs: startedAtMs(view.startTicks),
        relation: relationOf(view, options.component(component), await options.appearance(component), options),
      };
    },
    process: async (pid) => viewOf(pid),
    canConnect: (host, port) =>
      new Promise((resolve) => {
        const socket = connect({ host, port });
        const finish = (answer: boolean): void => {
          clearTimeout(timer);
          socket.destroy();
          resolve(answer);
        };
        const timer = setTimeout(() => finish(false), CONNECT_MS);
        socket.once('connect', () => finish(true));
        socket.once('error', () => finish(false));
      }),
    socketAnswers: (path) =>
      new Promise((resolve) => {
        const socket = connect({ path });
        const finish = (answer: boolean | null): void => {
          clearTimeout(timer);
          socket.destroy();
          resolve(answer);
        };
        const timer = setTimeout(() => finish(null), CONNECT_MS);
        socket.once('connect', () => finish(true));
        // Refused means that the file is there and no process has it; anything else, a full queue too, says nothing of that.
        socket.once('error', (error) => finish(codeOf(error) === 'ECONNREFUSED' ? false : null));
      }),
    memoryTotalBytes: async () => totalmem(),
    async openFilesHardLimit() {
      const match = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
      const limit = Number(match?.[1]);
      return Number.isFinite(limit) ? limit : 1_048_576;
    },
    async mountsBelow(dir) {
      const points = readFileSync('/proc/self/mounts', 'latin1')
        .split('\n')
        .map((line) => (line.split(' ')[1] ?? '').replace(/\\040/g, ' '));
      const holder = points
        .filter((p) => p !== '' && (dir === p || dir.startsWith(p === '/' ? '/' : `${p}/`)))
        .toSorted((a, b) => b.length - a.length)[0];
      return [...(holder === undefined ? [] : [holder]), ...points.filter((p) => p !== dir && p.startsWith(dir === '/' ? '/' : `${dir}/`))];
    },
    async findCommand(name, pathVariable) {
      if (name.includes('/')) return isExecutable(name) ? name : null;
      for (const dir of pathVariable.split(delimiter)) {
        const path = join(dir === '' ? '.' : dir, name);
        if (isExecutable(path)) return path;
      }
      return null;
    },
    packages: options.packages,
    schemaDrift: options.schemaDrift,
    async userName(uid) {
      const line = (await files.readText('/etc/passwd'))?.split('\n').find((l) => l.split(':')[2] === String(uid));
      return line?.split(':')[0] ?? String(uid);
    },
  };
}

/** Held by a process that this user may not see. */
const UNSEEN: PortHolder = {
  pid: 0,
  startTicks: 0,
  command: 'a process of another user',
  argv: [],
  cwd: null,
  user: '?',
  parentPid: 0,
  startedAtMs: 0,
  relation: 'foreign',
};

function isTaken(port: number): boolean {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((file) => {
    try {
      return readFileSync(file, 'latin1')
        .split('\n')
        .some((line) => {
          const fields = line.trim().split(/\s+/);
          return fields[3] === '0A' && fields[1]?.endsWith(`:${wanted}`) === true;
        });
    } catch {
      return false; // no IPv6 on this machine
    }
  });
}

function isExecutable(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && stat.isFile() && (stat.mode & 0o111) !== 0;
}

function viewOf(pid: number): ProcessView | null {
  const stat = readStat(pid);
  if (stat === null) return null;
  const argv = readArgv(pid);
  return {
    pid,
    startTicks: stat.startTicks,
    command: (argv.join(' ').replace(/\s+/g, ' ').trim() || stat.comm).slice(0, COMMAND_CHARS),
    argv,
    cwd: readCwd(pid),
    state: stat.state,
    user: String(readUser(pid)?.uid ?? '?'),
    parentPid: stat.parentPid,
  };
}

/**
 * Whether a process is a copy of this component that nobody looks after any more. Ending somebody else's process is the
 * worst Grace could do, so every sign must agree; when in doubt it is not ours.
 */
function relationOf(
  view: ProcessView,
  spec: ComponentSpec | null,
  appearance: Appearance | null,
  options: HostViewOptions,
): PortHolder['relation'] {
  if (options.managedPids().has(view.pid)) return 'managed';
  const mark = readEnvironmentVariable(view.pid, MARK);
  // Our own mark, and not among what runs now: left over from a Grace that was killed.
  if (mark !== null && spec !== null && mark === `${options.installation}/${spec.name}`) return 'own_stale';
  if (mark !== null && mark.startsWith(`${options.installation}/`)) return 'own_other';
  if (spec === null || view.cwd === null || view.cwd !== spec.cwd) return 'foreign';
  const looksLikeBefore = appearance !== null && sameAppearance(appearance, appearanceOf(view.pid, options.digest));
  if (!looksLikeBefore && !isSameCommand(view.argv, spec.command)) return 'foreign';
  if (mark !== null) return 'own_other'; // another Grace looks after it
  if (Number(view.user) !== process.getuid?.() && process.getuid?.() !== 0) return 'foreign';
  return isOrphaned(view) ? 'own_stale' : 'own_other';
}

/** @returns null when it cannot be seen, or says nothing of itself */
export function appearanceOf(pid: number, digest: (text: string) => string): Appearance | null {
  try {
    const commandLine = readArgv(pid).join(' ').trim();
    return commandLine === '' ? null : { executable: readlinkSync(`/proc/${pid}/exe`), commandLineDigest: digest(commandLine) };
  } catch {
    return null; // ended, or another user's
  }
}

function sameAppearance(a: Appearance, b: Appearance | null): boolean {
  return b !== null && a.executable === b.executable && a.commandLineDigest === b.commandLineDigest;
}

/** The same program with the same arguments, whatever wrapper (`setpriv`, `env`, `bash -c 'exec …'`) it was started by. */
function isSameCommand(argv: readonly string[], command: readonly string[]): boolean {
  const [program = '', ...args] = argv;
  if (args.join('') === '') return command.length === 1 && basename(command[0] ?? '') === basename(program);
  const wanted = args.join(' ');
  const joined = command.join(' ');
  for (let at = joined.indexOf(wanted); at >= 0; at = joined.indexOf(wanted, at + 1)) {
    const before = joined.slice(0, at).trimEnd();
    if (basename(before.split(' ').at(-1) ?? '') === basename(program) && COMMAND_END.test(joined.slice(at + wanted.length))) return true;
  }
  return false;
}

/** Nothing more, or what ends a command within a shell line: further arguments would make it another one. */
const COMMAND_END = /^['"]?\s*(?:$|[;&|<>)]|\d?>)/;

/** Its parent ended, and no service manager has it in a unit of its own. */
function isOrphaned(view: ProcessView): boolean {
  const parent = readStat(view.parentPid);
  const hasNoParent = view.parentPid <= 1 || (parent !== null && REAPERS.has(parent.comm));
  return hasNoParent && !isInForeignUnit(view.pid);
}

function isInForeignUnit(pid: number): boolean {
  const unitOf = (id: number | 'self'): string => {
    try {
      return /([^/\n]+\.service)/.exec(readFileSync(`/proc/${id}/cgroup`, 'latin1'))?.[1] ?? '';
    } catch {
      return '';
    }
  };
  const unit = unitOf(pid);
  return unit !== '' && unit !== unitOf('self') && !/^(?:user@|session|ssh|cron)/.test(unit);
}
