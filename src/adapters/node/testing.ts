import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { identityOf, isAlive } from './proc.ts';

/** Waits until a look at the machine finds something; the time limit of the test is the only one. */
export async function until<T>(look: () => T): Promise<NonNullable<T>> {
  for (;;) {
    const found = look();
    if (found !== null && found !== undefined && found !== false) return found;
    await sleep(5);
  }
}

export const isGone = (pid: number): boolean => {
  const identity = identityOf(pid);
  return identity === null || !isAlive(identity);
};

/** Ends a process when the test is over, whoever its parent is by then. */
export function endAfterTest(pid: number): void {
  onTestFinished(() => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // ended long ago
    }
  });
}

export interface Program {
  readonly child: ChildProcess;
  readonly pid: number;
  /** The next line it says. */
  line(): Promise<string>;
}

/** Starts a program that lives at most as long as the test. */
export function program(argv: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}): Program {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { cwd: options.cwd, env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'inherit'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${file}`);
  endAfterTest(pid);
  const lines = createInterface({ input: child.stdout });
  return { child, pid, line: async () => ((await once(lines, 'line')) as [string])[0] };
}

/** Node with a program of one line. */
export const node = (source: string, ...args: readonly string[]): readonly string[] => [process.execPath, '-e', source, ...args];
