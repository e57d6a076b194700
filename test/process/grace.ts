import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import type { GraceEvent } from '../../src/domains/healing/index.ts';
import { send } from './processes.ts';
import { until } from './waiting.ts';

const GRACE = join(import.meta.dirname, '..', '..', 'bin', 'grace.mjs');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A Grace that runs. */
export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** What it has said so far, both streams. */
  said(): string;
  /** With `--json`: its events so far. */
  events(): readonly GraceEvent[];
  /** Waits for an event; fails with everything that was said when Grace ends before. */
  event<T extends GraceEvent['type']>(
    type: T,
    fits?: (event: Extract<GraceEvent, { type: T }>) => boolean,
  ): Promise<Extract<GraceEvent, { type: T }>>;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Ended>;
}

/** What Grace is called with: nothing of the environment of the tests but where programs are. */
export function callerEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: process.env['HOME'] ?? '/',
    LANG: 'C.UTF-8',
    NO_COLOR: '1',
    ...more,
  };
}

/**
 * @param uid       the user it runs as; the one of the tests unless given
 * @param nodeArgs  what its Node is told beside
 */
export function startGrace(
  dir: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  uid?: number,
  nodeArgs: readonly string[] = [],
): Running {
  const child = spawn(process.execPath, [...nodeArgs, GRACE, ...args], {
    cwd: dir,
    env: callerEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid }),
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('Grace could not be started');
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString('utf8');
  let end: Ended | null = null;
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code, signal) => resolve((end = { code, signal, stdout: text(out), stderr: text(err) }))),
  );
  const said = (): string => `${text(out)}\n${text(err)}`;
  const events = (): readonly GraceEvent[] =>
    text(out)
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as GraceEvent);
  return {
    pid,
    ended,
    said,
    events,
    event: (type, fits = () => true) =>
      until(
        `event ${type}`,
        () => {
          const found = events().find((e): e is Extract<GraceEvent, { type: typeof type }> => e.type === type && fits(e as never));
          if (found === undefined && end !== null)
            throw new Error(`Grace ended (${end.code ?? end.signal}) without event ${type}\n${said()}`);
          return found;
        },
        said,
      ),
    async end(signal) {
      send(pid, signal);
      return ended;
    },
  };
}

/** Runs a command of Grace to its end. */
export function runGrace(dir: string, args: readonly string[], env: Readonly<Record<string, string>> = {}, uid?: number): Promise<Ended> {
  return startGrace(dir, args, env, uid).ended;
}
