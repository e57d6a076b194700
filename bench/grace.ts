import type { ChildProcess } from 'node:child_process';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitOf, type Workspace } from './workspace.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** Grace's own Node; the services run on the caller's. */
export const GRACE_NODE = process.env['GRACE_NODE'] ?? join(ROOT, 'node_modules', 'node', 'bin', 'node');

/** A service for a config: what an operator would write. */
export interface ServiceFile {
  readonly command: readonly string[];
  readonly port: number;
  readonly [key: string]: unknown;
}

export interface SeenEvent {
  /** performance.now() when its line arrived. */
  readonly atMs: number;
  readonly type: string;
  readonly [key: string]: unknown;
}

/** The built Grace, copied: a build in the working tree does not change what is measured half way. */
export class Grace {
  private readonly workspace: Workspace;
  private readonly bin: string;

  constructor(workspace: Workspace) {
    this.workspace = workspace;
    if (!existsSync(join(ROOT, 'dist', 'cli.mjs'))) throw new Error('dist/ is missing: npm run -s build');
    const dir = workspace.folder('grace');
    for (const part of ['bin', 'dist', 'package.json']) cpSync(join(ROOT, part), join(dir, part), { recursive: true });
    this.bin = join(dir, 'bin', 'grace.mjs');
  }

  argv(...args: readonly string[]): readonly string[] {
    return [GRACE_NODE, this.bin, ...args];
  }

  /** @returns the path of a config with these services */
  writeConfig(folder: string, components: Readonly<Record<string, ServiceFile>>, more: Readonly<Record<string, unknown>> = {}): string {
    const file = join(folder, 'grace.config.json');
    writeFileSync(file, JSON.stringify({ name: 'bench', components, ...more }, null, 2));
    return file;
  }

  up(folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): GraceUp {
    const child = this.workspace.start(this.argv('up', '--json', ...args), { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    return new GraceUp(this.workspace, child);
  }
}

/** One `grace up --json` and what it says. */
export class GraceUp {
  readonly events: SeenEvent[] = [];
  private readonly workspace: Workspace;
  private readonly child: ChildProcess;
  private readonly waiting = new Set<() => void>();
  private said = '';

  constructor(workspace: Workspace, child: ChildProcess) {
    this.workspace = workspace;
    this.child = child;
    let rest = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      const atMs = performance.now();
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('{')) this.events.push({ ...(JSON.parse(line) as SeenEvent), atMs });
      for (const wake of this.waiting) wake();
    });
    child.stderr?.on('data', (chunk: Buffer) => (this.said += chunk.toString()));
    child.once('exit', () => this.waiting.forEach((wake) => wake()));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /**
   * The first such event, seen already or still to come.
   * @throws when Grace ends, or `timeoutMs` pass, without one
   */
  async until(isIt: (event: SeenEvent) => boolean, timeoutMs = 30_000): Promise<SeenEvent> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const found = this.events.find(isIt);
      if (found) return found;
      const leftMs = deadlineMs - performance.now();
      const isOver = this.child.exitCode !== null || this.child.signalCode !== null;
      if (leftMs <= 0 || isOver) throw new Error(`grace ${isOver ? 'ended' : 'was silent'}; last: ${this.last()}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, leftMs);
        this.waiting.add(wake);
      });
    }
  }

  private last(): string {
    return `${this.events
      .slice(-3)
      .map((e) => JSON.stringify(e))
      .join(' ')} ${this.said.slice(-500)}`;
  }

  /** An orderly stop. @returns how long it took */
  async stop(): Promise<number> {
    const startedMs = performance.now();
    if (this.child.exitCode === null && this.child.signalCode === null) this.workspace.signal(this.pid, 'SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 30_000);
    await exitOf(this.child);
    clearTimeout(timer);
    return performance.now() - startedMs;
  }

  /** Its own sudden death; the services go on. */
  async kill(): Promise<void> {
    this.workspace.signal(this.pid, 'SIGKILL');
    await exitOf(this.child);
  }
}
