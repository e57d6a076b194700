import { basename, extname } from 'node:path';
import type { ProjectFolder } from './project-folder.ts';
import { parseWords } from './words.ts';

export type Language = 'node' | 'deno' | 'bun' | 'python' | 'ruby' | 'java' | 'go' | 'php' | 'dotnet' | 'rust' | 'elixir' | 'unknown';

/** Something worked out, and the sentence that says from what. */
export interface Found<T> {
  readonly value: T;
  readonly reason: string;
}

const PROGRAMS: Readonly<Record<string, Language>> = {
  ...languages('node', 'node nodejs npm npx pnpm yarn tsx ts-node next nest nodemon vite astro nuxt remix-serve'),
  ...languages('deno', 'deno'),
  ...languages('bun', 'bun bunx'),
  ...languages('python', 'python pypy uvicorn gunicorn hypercorn daphne flask celery poetry pipenv uv'),
  ...languages('ruby', 'ruby bundle rails rake puma unicorn sidekiq'),
  ...languages('java', 'java gradle gradlew mvn mvnw'),
  ...languages('go', 'go'),
  ...languages('php', 'php php-fpm artisan'),
  ...languages('dotnet', 'dotnet'),
  ...languages('rust', 'cargo'),
  ...languages('elixir', 'elixir mix iex'),
};

const EXTENSIONS: Readonly<Record<string, Language>> = {
  '.js': 'node',
  '.mjs': 'node',
  '.cjs': 'node',
  '.ts': 'node',
  '.mts': 'node',
  '.py': 'python',
  '.rb': 'ruby',
  '.jar': 'java',
  '.php': 'php',
  '.dll': 'dotnet',
};

function languages(language: Language, programs: string): Readonly<Record<string, Language>> {
  return Object.fromEntries(programs.split(' ').map((program) => [program, language]));
}

export function languageOf(argv: readonly string[]): Language {
  const program = argv[0] ?? '';
  // python3.12 and php8.2 are python and php
  const name = basename(program)
    .toLowerCase()
    .replace(/\.(?:exe|cmd|bat)$/, '')
    .replace(/[\d.]+$/, '');
  if (Object.hasOwn(PROGRAMS, name)) return PROGRAMS[name] ?? 'unknown';
  if (program.includes('node_modules/.bin/')) return 'node';
  return EXTENSIONS[extname(program)] ?? 'unknown';
}

/** What really runs, as far as it can be seen: `npm start` is its script, `env A=b cmd` is `cmd` with a variable. */
export interface SeenThrough {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const ENV_PREFIXES = new Set(['env', 'cross-env', 'exec']);
/** `npm run a` may run `npm run b`; real chains are two long. */
const SCRIPT_DEPTH_MAX = 5;

export function seeThrough(argv: readonly string[], folder: ProjectFolder): SeenThrough {
  let seen: readonly string[] = argv;
  const env: Record<string, string> = {};
  for (let depth = 0; depth < SCRIPT_DEPTH_MAX; depth++) {
    const script = scriptOf(seen);
    const text = script === null ? undefined : folder.packageJson()?.scripts[script];
    if (text !== undefined) {
      const words = parseWords(text.replace(/^(?:\w+=\S*\s+)+/, (assignments) => `env ${assignments}`));
      if (!words.ok) return { argv: seen, env };
      seen = words.argv;
    } else if (ENV_PREFIXES.has(basename(seen[0] ?? ''))) {
      seen = seen.slice(1);
    } else {
      return { argv: seen, env };
    }
    for (let match = assignment(seen[0]); match; match = assignment(seen[0])) {
      env[match[0]] = match[1];
      seen = seen.slice(1);
    }
  }
  return { argv: seen, env };
}

function assignment(word: string | undefined): readonly [string, string] | null {
  const match = /^([A-Za-z_]\w*)=(.*)$/s.exec(word ?? '');
  return match?.[1] === undefined ? null : [match[1], match[2] ?? ''];
}

function scriptOf(argv: readonly string[]): string | null {
  const [program, verb, name] = argv;
  if (program === undefined || !['npm', 'pnpm', 'yarn', 'bun'].includes(basename(program))) return null;
  if (verb === 'run' || verb === 'run-script') return name ?? null;
  if (verb === 'start') return 'start';
  return program === 'yarn' || program === 'pnpm' ? (verb ?? null) : null;
}

const PORT_FLAG = /^(--(?:http-)?port|--listen|--bind|--addr|--address|--server\.port|-Dserver\.port|-p|-l|-b|-S)(?:=(.*))?$/;
/** Their -p and -l mean something else. */
const NO_PORT_FLAGS = new Set(['docker', 'podman', 'ssh', 'sh', 'bash', 'mkdir', 'tar']);

/** The port that a command line asks for. */
export function portInArguments(argv: readonly string[]): Found<number> | null {
  if (NO_PORT_FLAGS.has(basename(argv[0] ?? ''))) return null;
  for (const [index, word] of argv.entries()) {
    const flag = PORT_FLAG.exec(word);
    if (flag) {
      const text = flag[2] ?? argv[index + 1] ?? '';
      const port = portIn(text);
      if (port !== null)
        return { value: port, reason: flag[2] === undefined ? `the command says ${word} ${text}` : `the command says ${word}` };
    }
    // Django's `runserver 0.0.0.0:8000` and Python's `-m http.server 8000` take it without a flag
    if ((word === 'runserver' || word === 'http.server') && argv[index + 1] !== undefined) {
      const port = portIn(argv[index + 1] ?? '');
      if (port !== null) return { value: port, reason: `the command says ${word} ${argv[index + 1]}` };
    }
  }
  return null;
}

/** `3000`, `:3000`, `0.0.0.0:3000`, `http://localhost:3000`. */
export function portIn(text: string): number | null {
  const match = /^(?:[^\s]*:)?(\d{1,5})\/?$/.exec(text.trim());
  const port = Number(match?.[1] ?? Number.NaN);
  return port >= 1 && port <= 65_535 ? port : null;
}

/**
 * Env files that the command reads by itself, as it names them. `isNeeded`: it cannot start without them, while dotenv and
 * `--env-file-if-exists` go on.
 */
export function envFilesInArguments(argv: readonly string[]): (Found<readonly string[]> & { readonly isNeeded: boolean }) | null {
  const files: string[] = [];
  let isNeeded = false;
  const words: string[] = [];
  for (const [index, word] of argv.entries()) {
    const next = argv[index + 1];
    const flag = /^(--env-file(?:-if-exists)?)(?:=(.+))?$/.exec(word);
    if (flag) {
      // Deno's --env-file alone means .env; elsewhere the file follows
      const file = flag[2] ?? (next !== undefined && !next.startsWith('-') && /env/i.test(next) ? next : '.env');
      files.push(file);
      words.push(word);
      if (flag[1] === '--env-file') isNeeded = true;
    } else if (word === 'dotenv/config' || word === '--require=dotenv/config' || word === '--import=dotenv/config') {
      files.push('.env');
      words.push('dotenv/config');
    } else if (basename(word) === 'dotenv' && index === 0) {
      const at = argv.indexOf('-e');
      files.push(at > 0 ? (argv[at + 1] ?? '.env') : '.env');
      words.push('dotenv');
    }
  }
  return files.length === 0
    ? null
    : { value: [...new Set(files)], reason: `the command reads it by itself (${words.join(' ')})`, isNeeded };
}
