import { spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf, messageOf, type Clock } from '../../kernel/index.ts';
import type {
  ExitInfo,
  LaunchRequest,
  LaunchResult,
  ProcessHandle,
  ProcessHost,
  ProcessIdentity,
  ProcessPulse,
  ProcessRecord,
  ProcessVitals,
} from '../../domains/supervisor/index.ts';
import { isPortFree, pidsListeningOn, portsOf } from './ports.ts';
import { identityOf, isAlive, MARK, machineBootId, marksStartingWith, pidsWithMark, readSchedule, readStat, readUser } from './proc.ts';

/** An adopted process is not our child: its end is found by looking. */
const ADOPTED_POLL_MS = 200;
/** After SIGKILL only the kernel can be slow (a disk that does not answer). */
const KILL_WAIT_MS = 3000;
const TICK_MS = 10;
/** Left-overs of a run that has ended are owed no long good-bye. */
const OLDER_GRACE_MS = 2000;

/** Where the library writes down which routes a service has; absent where nobody would read it. */
const ROUTES_DIR = 'GRACE_ROUTES_DIR';

/**
 * @param installation  tells the processes of one data directory from those of another
 * @param routesDir     below it each component is told a directory of its own, for what it says of its routes
 */
export function processHost(installation: string, clock: Clock, routesDir: string | null = null): ProcessHost {
  const leaders = new Map<string, ProcessIdentity>();
  /** Components of which a look at the whole machine has found nothing, and that were not started since. */
  const clean = new Set<string>();
  const markOf = (component: string): string => `${installation}/${component}`;

  function members(component: string): readonly ProcessIdentity[] {
    const pids = new Set(pidsWithMark(markOf(component)));
    const leader = leaders.get(component);
    if (leader && isAlive(leader)) for (const pid of [leader.pid, ...descendantsOf(leader.pid)]) pids.add(pid);
    return [...pids].flatMap((pid) => identityOf(pid) ?? []);
  }

  /** The quick way first: the leader and its children; the whole machine only when they do not hold it. */
  function likelyPids(component: string): readonly number[] {
    const leader = leaders.get(component);
    return leader && isAlive(leader) ? [leader.pid, ...descendantsOf(leader.pid)] : [];
  }

  async function launch(request: LaunchRequest): Promise<LaunchResult> {
    if (!existsSync(request.cwd)) return { state: 'failed', code: 'ENOENT', message: `its directory ${request.cwd} does not exist` };
    let log: number;
    try {
      mkdirSync(dirname(request.logFile), { recursive: true });
      if (routesDir !== null) mkdirSync(join(routesDir, request.component), { recursive: true, mode: 0o700 });
      log = openSync(request.logFile, 'a', 0o640);
    } catch (error) {
      return { state: 'failed', code: codeOf(error) ?? 'EIO', message: `cannot write its log ${request.logFile}: ${messageOf(error)}` };
    }
    const logOffset = fstatSync(log).size;
    const limited =
      request.openFiles === null
        ? request.argv
        : ['/bin/sh', '-c', 'ulimit -n "$1" || exit 126; shift; exec "$@"', 'sh', String(request.openFiles), ...request.argv];
    const [file = '', ...args] = limited;
    try {
      const child = spawn(file, args, {
        cwd: request.cwd,
        env: {
          ...request.env,
          [MARK]: markOf(request.component),
          ...(routesDir === null ? {} : { [ROUTES_DIR]: join(routesDir, request.component) }),
        },
        stdio: ['ignore', log, log],
        detached: true,
      });
      const pid = child.pid;
      if (pid === undefined) {
        const error = await new Promise<Error>((resolve) => child.once('error', resolve));
        return notStarted(request, error);
      }
      child.on('error', () => undefined); // a failed kill() reports here; the exit event is what counts
      const exited = new Promise<ExitInfo>((resolve) => child.once('exit', (exitCode, signal) => resolve({ exitCode, signal })));
      const identity: ProcessIdentity = { pid, startTicks: readStat(pid)?.startTicks ?? 0, machineBootId: machineBootId() };
      leaders.set(request.component, identity);
      clean.delete(request.component);
      return { state: 'started', handle: { identity, launchedAtMs: clock.nowMs(), logOffset, wasAdopted: false, exited } };
    } catch (error) {
      return notStarted(request, error);
    } finally {
      closeSync(log);
    }
  }

  function adopt(record: ProcessRecord): ProcessHandle | null {
    if (!isAlive(record.identity)) return null;
    leaders.set(record.component, record.identity);
    const exited = new Promise<ExitInfo>((resolve) => {
      const timer = setInterval(() => {
        if (isAlive(record.identity)) return;
        clearInterval(timer);
        resolve({ exitCode: null, signal: null });
      }, ADOPTED_POLL_MS);
      timer.unref();
    });
    return { identity: record.identity, launchedAtMs: record.launchedAtMs, logOffset: record.logOffset, wasAdopted: true, exited };
  }

  async function endAll(component: string, signal: NodeJS.Signals, graceMs: number): Promise<{ killed: boolean; count: number }> {
    const deadline = clock.monotonicMs() + graceMs;
    let alive = members(component);
    const count = alive.length;
    for (const identity of alive) {
      sendTo(identity, signal);
      // A stopped process handles no signal before it is continued.
      if (readStat(identity.pid)?.state === 'T') sendTo(identity, 'SIGCONT');
    }
    const known = new Map(alive.map((i) => [i.pid, i]));
    while (alive.length > 0 && clock.monotonicMs() < deadline) {
      await clock.sleep(TICK_MS);
      alive = [...known.values()].filter(isAlive);
      if (alive.length === 0) {
        alive = members(component); // children that were forked after the first look
        for (const identity of alive) {
          known.set(identity.pid, identity);
          sendTo(identity, signal);
        }
      }
    }
    const killed = alive.length > 0;
    const killDeadline = clock.monotonicMs() + KILL_WAIT_MS;
    if (count === 0) alive = [];
    else alive = members(component);
    for (; alive.length > 0 && clock.monotonicMs() < killDeadline; alive = members(component)) {
      for (const identity of alive) sendTo(identity, 'SIGKILL');
      await clock.sleep(TICK_MS);
    }
    leaders.delete(component);
    if (alive.length === 0) clean.add(component);
    return { killed, count };
  }

  /** A group outlives its leader as long as any member does; its number is not given away while it does. */
  function hasGroup(component: string): boolean {
    const leader = leaders.get(component);
    if (leader === undefined) return !clean.has(component); // nothing is known of earlier runs: then it takes a real look
    try {
      process.kill(-leader.pid, 0);
      return true;
    } catch {
      return false;
    }
  }

  async function endOlder(component: string, than: ProcessIdentity): Promise<void> {
    const own = new Set([than.pid, ...descendantsOf(than.pid)]);
    const older = (): ProcessIdentity[] => members(component).filter((i) => i.startTicks < than.startTicks && !own.has(i.pid));
    const left = older();
    for (const identity of left) sendTo(identity, 'SIGTERM');
    const deadline = clock.monotonicMs() + OLDER_GRACE_MS;
    while (left.some(isAlive) && clock.monotonicMs() < deadline) await clock.sleep(TICK_MS * 5);
    for (const identity of left) sendTo(identity, 'SIGKILL');
  }

  return {
    launch,
    hasGroup,
    endOlder,
    isPortFree,
    leftOvers(components) {
      const marks = marksStartingWith(`${installation}/`);
      for (const name of components) if (!marks.has(markOf(name))) clean.add(name);
      return new Set(components.filter((name) => marks.has(markOf(name))));
    },
    adopt,
    isAlive,
    members,
    endAll,
    signal: sendTo,
    vitals,
    pulse,
    portsOf: (component) => portsOf(likelyPids(component)),
    ownsPort(component, port) {
      const likely = likelyPids(component);
      const holders = pidsListeningOn(port, likely);
      if (holders.length === 0) return null;
      if (holders.some((pid) => likely.includes(pid))) return true;
      const all = new Set(members(component).map((i) => i.pid));
      return holders.some((pid) => all.has(pid));
    },
  };
}

function notStarted(request: LaunchRequest, error: unknown): LaunchResult {
  const code = codeOf(error) ?? 'EUNKNOWN';
  const command = request.argv[0] ?? '';
  const message =
    code === 'ENOENT'
      ? `command "${command}" was not found${command.includes('/') ? '' : ' on the PATH'}`
      : code === 'EACCES'
        ? `command "${command}" may not be executed (permission denied)`
        : `command "${command}" could not be started: ${messageOf(error)}`;
  return { state: 'failed', code, message };
}

/** Compares the identity first: a pid may meanwhile be somebody else's. */
function sendTo(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false; // ended between the look and the signal
  }
}

function pulse(identity: ProcessIdentity): ProcessPulse | null {
  const stat = readStat(identity.pid);
  if (stat === null || stat.startTicks !== identity.startTicks) return null;
  const schedule = readSchedule(identity.pid);
  return {
    state: stat.state,
    rssBytes: stat.rssBytes,
    cpuMs: stat.cpuTicks * 10,
    ranMs: schedule?.ranMs ?? 0,
    waitedMs: schedule?.waitedMs ?? 0,
  };
}

function vitals(identity: ProcessIdentity): ProcessVitals | null {
  const beat = pulse(identity);
  if (beat === null) return null;
  const user = readUser(identity.pid);
  let openFiles = -1;
  try {
    openFiles = readdirSync(`/proc/${identity.pid}/fd`).length;
  } catch {
    // another user's process: unknown
  }
  return { ...beat, openFiles, uid: user?.uid ?? null, gid: user?.gid ?? null };
}

/** Children, their children and so on, by the kernel's own lists. */
function descendantsOf(pid: number): readonly number[] {
  const found: number[] = [];
  const queue = [pid];
  for (let at = queue.pop(); at !== undefined && found.length < 10_000; at = queue.pop()) {
    let threads: string[];
    try {
      threads = readdirSync(`/proc/${at}/task`);
    } catch {
      continue; // ended meanwhile
    }
    for (const thread of threads) {
      let text = '';
      try {
        text = readFileSync(`/proc/${at}/task/${thread}/children`, 'latin1');
      } catch {
        // ended meanwhile
      }
      for (const child of text.trim().split(' ')) {
        if (child === '') continue;
        found.push(Number(child));
        queue.push(Number(child));
      }
    }
  }
  return found;
}
