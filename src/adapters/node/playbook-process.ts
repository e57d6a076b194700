import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Socket } from 'node:net';
import { messageOf } from '../../kernel/index.ts';
import { PlaybookCutOff } from '../../domains/playbooks/index.ts';
import { MARK } from './proc.ts';
import { checkedReport, type Answer, type CheckedReport, type Order } from './playbook-messages.ts';

/** What the process of a playbook may use. Reaching one of them ends it. */
export interface PlaybookLimits {
  /** Of its own: while Grace takes a step for it, it does not count. */
  readonly ownTimeMs: number;
  /** Of the processor, counted by the kernel: also when Grace is gone. */
  readonly cpuSeconds: number;
  /** Of the heap of its language. */
  readonly heapMb: number;
  /** All memory that is its own and may be written to, used or not, counted by the kernel; of an empty Node 600 MB. */
  readonly memoryMb: number;
  readonly steps: number;
  /** Of one line that it sends. */
  readonly lineBytes: number;
}

export const PLAYBOOK_LIMITS: PlaybookLimits = {
  // A playbook decides; waiting for something is a primitive.
  ownTimeMs: 30_000,
  cpuSeconds: 20,
  heapMb: 64,
  memoryMb: 1024,
  // Generated ones have at most a dozen.
  steps: 200,
  lineBytes: 1024 * 1024,
};

/** Kept of what it prints, from the end. */
const PRINTED_BYTES_MAX = 8192;

export interface PlaybookTask {
  /** For people: the playbook in messages. */
  readonly name: string;
  readonly order: Omit<Order, 'run'>;
  /** By which the next Grace finds it, when this one is killed. */
  readonly mark: string;
  readonly limits: PlaybookLimits;
  readonly signal: AbortSignal | undefined;
  /** The program that obeys orders. */
  readonly child: URL;
  /** Takes a step. Never throws. */
  readonly take: (asked: Extract<CheckedReport, { type: 'step' }>) => Promise<Answer>;
  /** Called for the rest of what it says; true when that was its last word. */
  readonly hear: (said: Exclude<CheckedReport, { type: 'step' }>) => boolean;
}

/**
 * Runs the code of a playbook in a process without powers, until its last word.
 * @returns the end of what it printed: never to be shown before it is redacted
 * @throws PlaybookCutOff when it ends without a last word, reaches a limit, or says what makes no sense; the reason of the
 *         signal. No process is left in any case.
 */
export async function runPlaybookProcess(task: PlaybookTask): Promise<string> {
  task.signal?.throwIfAborted();
  const { limits, order } = task;
  const run = randomBytes(16).toString('hex');
  const [file = '', ...args] = await confined(task.child, limits);
  const child = spawn(file, args, { cwd: '/', env: { [MARK]: task.mark }, stdio: ['ignore', 'pipe', 'pipe', 'pipe'], detached: true });
  const channel = child.stdio[3] as Socket;
  const printed = new Printed();
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => printed.add(chunk));

  // What it said and printed has all been read by then.
  const gone = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  let isOver = false;
  let stopListening = (): void => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const cutOff = (problem: string): void => reject(new PlaybookCutOff(task.name, problem));
      const ownTime = new Countdown(limits.ownTimeMs, () => {
        cutOff(`it took more than ${limits.ownTimeMs} ms of its own, beside its steps, and was ended`);
      });
      const abort = (): void => reject(task.signal?.reason as Error);
      task.signal?.addEventListener('abort', abort, { once: true });
      stopListening = () => {
        isOver = true;
        ownTime.stop();
        task.signal?.removeEventListener('abort', abort);
      };
      let steps = 0;
      let taking = 0;
      const endWith = (problem: string): void => {
        isOver = true;
        cutOff(problem);
      };
      const hear = (line: string): void => {
        if (isOver) return;
        const said = understood(line, run);
        if (said === null) return endWith('it said what makes no sense, and was ended');
        if (said.type !== 'step') {
          isOver = task.hear(said);
          return isOver ? resolve() : undefined;
        }
        if (order.task !== 'run') return endWith('it asked for a step while it was only read');
        if (++steps > limits.steps) return endWith(`it asked for more than ${limits.steps} steps, and was ended`);
        taking++;
        ownTime.pause();
        void take(said);
      };
      const take = async (asked: Extract<CheckedReport, { type: 'step' }>): Promise<void> => {
        const answer = await task.take(asked);
        taking--;
        if (isOver) return;
        if (taking === 0) ownTime.resume();
        channel.write(`${JSON.stringify(answer)}\n`);
      };
      const lines = new Lines(limits.lineBytes, hear, () => endWith('it said more at once than it may, and was ended'));
      channel.on('data', (chunk: Buffer) => {
        if (!isOver) lines.add(chunk);
      });
      channel.on('error', () => undefined); // it ended: its exit says so
      child.once('error', (error) => cutOff(`its process could not be started: ${messageOf(error)}`));
      child.once('close', (code, killedBy) => {
        const how = killedBy === null ? `with exit code ${code}` : `by ${killedBy}`;
        cutOff(
          `its process ended ${how} before its run was over; it may use ${limits.memoryMb} MB of memory and ${limits.cpuSeconds} s of the processor`,
        );
      });
      channel.write(`${JSON.stringify({ ...order, run } satisfies Order)}\n`);
    });
  } finally {
    stopListening();
    end(child.pid);
    await gone;
    channel.destroy();
  }
  return printed.text();
}

/** The whole group at once: nothing that it might have started stays. */
function end(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // it is gone already
  }
}

function understood(line: string, run: string): CheckedReport | null {
  try {
    const said = checkedReport.parse(JSON.parse(line));
    return said.run === run ? said : null;
  } catch {
    return null;
  }
}

/** The command line of a Node without powers. @see docs/design/0006-playbook-process.md for what each part keeps away */
async function confined(child: URL, limits: PlaybookLimits): Promise<readonly string[]> {
  const program = fileURLToPath(child);
  return [
    ...kernelLimits(limits),
    ...(await namespaces()),
    process.execPath,
    '--permission',
    `--allow-fs-read=${program}`,
    `--max-old-space-size=${limits.heapMb}`,
    '--max-semi-space-size=4',
    '--disallow-code-generation-from-strings',
    '--disable-sigusr1',
    '--disable-warning=ExperimentalWarning',
    program,
  ];
}

/**
 * Processor time, memory, no file longer than nothing, no core; what the caller's own limits forbid already stays so. When the
 * machine runs out of memory, it is the first to go.
 */
function kernelLimits({ cpuSeconds, memoryMb }: PlaybookLimits): readonly string[] {
  const script = `echo 1000 2>/dev/null >/proc/self/oom_score_adj; ulimit -c 0; ulimit -f 0; ulimit -t ${cpuSeconds}; ulimit -d ${memoryMb * 1024}; exec "$@"`;
  return ['/bin/sh', '-c', script, 'sh'];
}

const SPACES = ['--net', '--pid', '--fork', '--kill-child'];
const AS_ROOT = ['unshare', ...SPACES];
/** Where the kernel lets everybody make namespaces. */
const AS_USER = ['unshare', '--user', '--map-root-user', ...SPACES];
/** A command that the system does not answer is one that it refuses. */
const TRY_MS = 2000;
let possible: Promise<readonly string[]> | null = null;

/** A network and a process table of its own: nothing to connect to, nobody to signal. Empty where the system refuses that. */
export function namespaces(): Promise<readonly string[]> {
  possible ??= (async () => {
    for (const prefix of [AS_ROOT, AS_USER]) if (await works([...prefix, '/bin/sh', '-c', ':'])) return prefix;
    return [];
  })();
  return possible;
}

function works([file = '', ...args]: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const tried = spawn(file, args, { cwd: '/', env: {}, stdio: 'ignore', timeout: TRY_MS, killSignal: 'SIGKILL' });
    tried.once('error', () => resolve(false));
    tried.once('exit', (code) => resolve(code === 0));
  });
}

/** Cuts what comes in into lines, none longer than may be. */
class Lines {
  private readonly max: number;
  private readonly hear: (line: string) => void;
  private readonly tooLong: () => void;
  private parts: Buffer[] = [];
  private size = 0;

  constructor(max: number, hear: (line: string) => void, tooLong: () => void) {
    this.max = max;
    this.hear = hear;
    this.tooLong = tooLong;
  }

  add(chunk: Buffer): void {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      if (this.size + end > this.max) return this.tooLong();
      const line = Buffer.concat([...this.parts, rest.subarray(0, end)]).toString('utf8');
      this.parts = [];
      this.size = 0;
      rest = rest.subarray(end + 1);
      this.hear(line);
    }
    this.size += rest.length;
    if (this.size > this.max) return this.tooLong();
    if (rest.length > 0) this.parts.push(rest);
  }
}

/** The end of what a process prints, however much that is. */
class Printed {
  private kept = Buffer.alloc(0);
  add(chunk: Buffer): void {
    this.kept = Buffer.concat([this.kept, chunk.subarray(-PRINTED_BYTES_MAX)]).subarray(-PRINTED_BYTES_MAX);
  }
  text(): string {
    return this.kept.toString('utf8');
  }
}

/** Time that can be stopped in between. */
class Countdown {
  private leftMs: number;
  private readonly over: () => void;
  private timer: NodeJS.Timeout | null = null;
  private startedMs = 0;

  constructor(ms: number, over: () => void) {
    this.leftMs = ms;
    this.over = over;
    this.resume();
  }

  resume(): void {
    this.startedMs = performance.now();
    this.timer ??= setTimeout(this.over, Math.max(0, this.leftMs));
  }

  pause(): void {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.timer = null;
    this.leftMs -= performance.now() - this.startedMs;
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
  }
}
