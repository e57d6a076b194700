import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Fact, Symptom } from '../../src/domains/incidents/index.ts';
import type { AutonomyTier, Risk } from '../../src/domains/governance/index.ts';
import type { WaitFor } from '../../src/domains/learning/index.ts';
import type { ProcessVitals } from '../../src/domains/supervisor/index.ts';
import { codeOf } from '../../src/kernel/index.ts';

/** A file of the project: its text, or more about it. */
export type Thing = string | { readonly text: string; readonly mode?: number } | { readonly link: string } | { readonly directory: true };

/**
 * One real failure of a family, with what heals it. The service is run for real: by its own program, or, where that cannot
 * be had everywhere, by a stand-in of the same name that says what the real one said for as long as its cause is there.
 */
export interface Specimen {
  /** The family that must win over all others. */
  readonly family: string;
  /** A fact somebody would miss. */
  readonly title: string;
  /** What really failed: program, version, what was broken, and so how the recording can be made again. */
  readonly origin: string;
  /** File in `src/catalog/readers/recorded`, without `.txt`; null when the service's own program runs in this test. */
  readonly recording: string | null;
  /** How it is started. With a recording, the program is the stand-in. */
  readonly command: readonly string[];
  /** How the recorded program ended; 1 unless given. */
  readonly exitCode?: number;
  readonly signal?: NodeJS.Signals;
  /** How the failure is noticed; `exit` unless given. With another one the service is not run to fail. */
  readonly symptom?: Symptom;
  /** `6. Autonomy Load` unless given; `runtime` for what happens later. */
  readonly stage?: string;
  /** What the supervisor says of it: `it ended with exit code 1` unless given. */
  readonly message?: string;
  /** What the last probe said. */
  readonly probe?: string;
  readonly vitals?: Partial<ProcessVitals>;
  /** Facts that Grace's own checks add. */
  readonly facts?: readonly Pick<Fact, 'kind' | 'subject'>[];
  /** Further keys of the component, as in `grace.config.json`. */
  readonly component?: Readonly<Record<string, unknown>>;
  /** Further keys of the configuration: `dependencies`, other `components`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** What Grace is started with, beside PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
  /** The project as it was when it was well. */
  readonly files: Readonly<Record<string, Thing>>;
  /** No boot has been good before. */
  readonly isFirstBoot?: boolean;
  /** Prepares what is not a file, before the good boot. */
  prepares?(world: World): Promise<void> | void;
  breaks(world: World): Promise<void> | void;
  /** Takes back what `prepares` and `breaks` left outside of the project: processes, mounts. */
  cleans?(world: World): Promise<void> | void;
  /**
   * Shell expression, run in the project directory with the service's environment: true when the cause is gone. Needed with a
   * recording; without one the service itself tells by starting.
   */
  readonly isWell?: string;
  readonly expects: Heals | ByPerson;
}

export interface Heals {
  /** Part of the sentence that says what is wrong and why. */
  readonly cause: string | RegExp;
  readonly playbook: string;
  readonly risk: Risk;
  readonly tier: AutonomyTier;
  /** Why nothing can be seen before the next boot, where that is so; otherwise the guard must see it. */
  readonly noGuard?: string;
  /** The test of real processes that proves the remedy, where it acts on a process under supervision. */
  readonly provenBy?: string;
}

/** Nobody but a person, or time, can help. */
export interface ByPerson {
  readonly cause: string | RegExp;
  /** Part of what they are told to do. */
  readonly person: string | RegExp;
  readonly waitFor?: WaitFor['kind'];
}

export function isHealed(expects: Specimen['expects']): expects is Heals {
  return 'playbook' in expects;
}

const RECORDED = join(import.meta.dirname, '..', '..', 'src', 'catalog', 'readers', 'recorded');
/** What recordings call the directory of the project. */
const RECORDED_DIR = '/srv/app';
/** A service that lives this long has started; on a busy machine an interpreter alone takes a second or two. */
const ALIVE_MS = 4000;

/** The directory of a specimen and what can be done in it. */
export class World {
  readonly home = realpathSync(mkdtempSync(join(tmpdir(), 'grace-specimen-')));
  readonly dir = join(this.home, 'app');
  /** First on PATH: stand-ins, and whatever a specimen puts there. */
  readonly bin = join(this.home, 'bin');
  /** For what `prepares` starts and `cleans` ends. */
  readonly kept = new Map<string, unknown>();

  constructor(specimen: Specimen) {
    for (const dir of [this.dir, this.bin]) mkdirSync(dir);
    for (const [path, thing] of Object.entries(specimen.files)) this.write(path, thing);
    const { recording, command, exitCode = 1, signal, isWell = 'false' } = specimen;
    if (recording !== null) {
      const said = join(this.home, 'recording.txt');
      writeFileSync(said, readFileSync(join(RECORDED, `${recording}.txt`), 'utf8').replaceAll(RECORDED_DIR, this.dir));
      const ends = signal === undefined ? `exit ${exitCode}` : `kill -${signal.slice(3)} $$`;
      const script = `#!/bin/sh\nif (cd '${this.dir}' && { ${isWell}\n}) >/dev/null 2>&1; then exit 0; fi\ncat '${said}' >&2\n${ends}\n`;
      writeFileSync(join(this.bin, basename(command[0] ?? '')), script, { mode: 0o755 });
    }
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  write(name: string, thing: Thing): void {
    const path = this.path(name);
    mkdirSync(dirname(path), { recursive: true });
    if (typeof thing === 'string') writeFileSync(path, thing);
    else if ('link' in thing) symlinkSync(thing.link, path);
    else if ('directory' in thing) mkdirSync(path, { recursive: true });
    else {
      writeFileSync(path, thing.text);
      if (thing.mode !== undefined) chmodSync(path, thing.mode);
    }
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  remove(name: string): void {
    rmSync(this.path(name), { recursive: true, force: true });
  }

  /** Runs a program in the project; fails the test when it fails. */
  run(argv: readonly string[]): string {
    const [program = '', ...args] = argv;
    const result = spawnSync(program, args, { cwd: this.dir, encoding: 'utf8', timeout: 60_000 });
    if (result.status !== 0)
      throw new Error(`${argv.join(' ')} failed (${result.status ?? result.signal}): ${result.stderr || result.error?.message}`);
    return result.stdout;
  }

  end(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}

export interface Outcome {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** errno of a program that could not be started. */
  readonly spawnCode: string | null;
  readonly isWell: boolean;
  readonly output: string;
}

/** Runs the service once, as Grace would start it. Well is what ends with 0 or lives on. */
export function runService(argv: readonly string[], cwd: string, env: Readonly<Record<string, string>>, openFiles: number | null): Outcome {
  const words = openFiles === null ? argv : ['sh', '-c', `ulimit -n ${openFiles}; exec "$@"`, 'sh', ...argv];
  const [program = '', ...args] = words;
  const result = spawnSync(program, args, { cwd, env, encoding: 'utf8', timeout: ALIVE_MS, killSignal: 'SIGKILL' });
  const code = codeOf(result.error) ?? null;
  const livesOn = code === 'ETIMEDOUT';
  return {
    exitCode: result.status,
    signal: livesOn ? null : result.signal,
    spawnCode: livesOn ? null : code,
    isWell: livesOn || result.status === 0,
    output: `${result.stdout ?? ''}${result.stderr ?? ''}`,
  };
}
