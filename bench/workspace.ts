import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Carried by every process that this run starts, and by all they start: only such processes are ever signalled. */
const MARK = 'BENCH_RUN_MARK';

/** Below the ports that the kernel hands to clients: a poller must not take the port of the service it waits for. */
const FIRST_PORT = 21_000;
const LAST_PORT = 31_000;

/** A temporary folder, clean environment and free ports for one run, and the end of everything that was started. */
export class Workspace {
  readonly dir = mkdtempSync(join(tmpdir(), 'gbench-'));
  private readonly mark = randomUUID();
  private nextPort = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT - 2000));
  private nextFolder = 1;

  /** What a login shell would have; without the packages of a project on the PATH and without additional certificates. */
  readonly env: Readonly<Record<string, string>> = {
    PATH: (process.env['PATH'] ?? '')
      .split(delimiter)
      .filter((entry) => !entry.includes('node_modules'))
      .join(delimiter),
    HOME: this.folder('home'),
    LANG: 'C.UTF-8',
    TMPDIR: this.folder('tmp'),
    [MARK]: this.mark,
  };

  /** The service programs, away from this repository: its package.json changes how PM2 loads them. */
  readonly services = this.folder('services');

  constructor() {
    cpSync(join(import.meta.dirname, 'services'), this.services, { recursive: true });
  }

  /** A new, empty folder. */
  folder(name: string): string {
    const dir = join(this.dir, `${this.nextFolder++}-${name}`);
    mkdirSync(dir, { recursive: true });
    return dir;
  }

  async freePort(): Promise<number> {
    for (;;) {
      const port = this.nextPort++;
      if (port > LAST_PORT) this.nextPort = FIRST_PORT;
      const isFree = await new Promise<boolean>((resolve) => {
        const server = createServer();
        server.once('error', () => resolve(false));
        server.listen({ host: '127.0.0.1', port }, () => server.close(() => resolve(true)));
      });
      if (isFree) return port;
    }
  }

  async freePorts(count: number): Promise<readonly number[]> {
    const ports: number[] = [];
    while (ports.length < count) ports.push(await this.freePort());
    return ports;
  }

  start(argv: readonly string[], options: { cwd: string; env?: Readonly<Record<string, string>>; stdio?: StdioOptions }): ChildProcess {
    const [file = '', ...args] = argv;
    return spawn(file, args, {
      cwd: options.cwd,
      env: { ...this.env, ...options.env },
      stdio: options.stdio ?? 'ignore',
      detached: true, // a Ctrl-C in the terminal is for this program, which then ends the others
    });
  }

  /** Runs a command to its end. @returns how long it took, and what it printed */
  async run(
    argv: readonly string[],
    options: { cwd: string; env?: Readonly<Record<string, string>>; timeoutMs?: number },
  ): Promise<{ ms: number; code: number | null; output: string }> {
    const startedMs = performance.now();
    const child = this.start(argv, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000);
    const code = await exitOf(child);
    const ms = performance.now() - startedMs;
    clearTimeout(timer);
    return { ms, code, output };
  }

  /** Signals a process of this run. @throws when it is somebody else's */
  signal(pid: number, signal: NodeJS.Signals): void {
    if (!this.isOurs(pid)) throw new Error(`pid ${pid} was not started by this run`);
    process.kill(pid, signal);
  }

  isOurs(pid: number): boolean {
    return environmentOf(pid)[MARK] === this.mark;
  }

  /** Living processes of this run whose environment has all these values. */
  pidsWith(values: Readonly<Record<string, string>> = {}): readonly number[] {
    const pids = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
    return pids.filter((pid) => {
      if (pid === process.pid) return false;
      const env = environmentOf(pid);
      return env[MARK] === this.mark && Object.entries(values).every(([name, value]) => env[name] === value) && isAlive(pid);
    });
  }

  /** Ends what is left of these processes; used where a subject is expected to leave some behind. */
  endAll(values: Readonly<Record<string, string>> = {}): void {
    for (let pass = 0; pass < 50; pass++) {
      const pids = this.pidsWith(values);
      if (pids.length === 0) return;
      for (const pid of pids) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // ended between the look and the signal
        }
      }
    }
  }

  /** Synchronous, so that it also works while the program is leaving. */
  close(): void {
    this.endAll();
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

export function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
    else {
      child.once('exit', (code) => resolve(code));
      child.once('error', () => resolve(null));
    }
  });
}

export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** Empty for a process that is gone, or not ours to read. */
function environmentOf(pid: number): Readonly<Record<string, string>> {
  try {
    const lines = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
    return Object.fromEntries(
      lines.filter((line) => line.includes('=')).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  } catch {
    return {};
  }
}
