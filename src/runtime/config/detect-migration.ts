import { basename } from 'node:path';
import type { Found } from './detect-command.ts';
import type { ProjectFolder } from './project-folder.ts';
import { parseWords } from './words.ts';

/** Script names that mean "apply what is pending"; nothing else is ever run by itself. */
const SCRIPTS = [
  'migrate',
  'db:migrate',
  'migrate:deploy',
  'db:migrate:deploy',
  'migrate:latest',
  'migrate:up',
  'migration:run',
  'migrations:run',
];
/** A script that does any of these can lose data, whatever it is called. */
const DESTRUCTIVE =
  /\b(?:reset|drop|fresh|refresh|wipe|undo|rollback|revert|down|truncate|seed|push|force(?:-reset)?|migrate dev|delete)\b|\brm\b/i;
const FILES = ['ts', 'mts', 'js', 'mjs', 'cjs'].flatMap((extension) => [`migrate.${extension}`, `scripts/migrate.${extension}`]);

/** How the project applies its migrations: its own script first, since it knows best, then the tools known by their files. */
export function detectMigration(folder: ProjectFolder): Found<readonly string[]> | null {
  return fromScripts(folder) ?? fromTools(folder) ?? fromFile(folder);
}

function fromScripts(folder: ProjectFolder): Found<readonly string[]> | null {
  const scripts = folder.packageJson()?.scripts ?? {};
  const name = SCRIPTS.find((script) => Object.hasOwn(scripts, script) && !DESTRUCTIVE.test(scripts[script] ?? ''));
  if (name === undefined) return null;
  const run = runScript(folder, name);
  return run && { value: run.value, reason: `package.json has the script ${name}` };
}

function fromTools(folder: ProjectFolder): Found<readonly string[]> | null {
  const has = (...names: readonly string[]): string | null => folder.firstOf(names);
  const configs = (stem: string): readonly string[] => ['ts', 'js', 'mjs', 'cjs', 'mts', 'json'].map((extension) => `${stem}.${extension}`);
  if (has('prisma/schema.prisma') && has('prisma/migrations'))
    return tool(folder, ['prisma', 'migrate', 'deploy'], 'prisma/schema.prisma and prisma/migrations');
  const drizzle = has(...configs('drizzle.config'));
  if (drizzle !== null) return tool(folder, ['drizzle-kit', 'migrate'], drizzle);
  const knex = has(...configs('knexfile'));
  if (knex !== null) return tool(folder, ['knex', 'migrate:latest'], knex);
  if (has('.sequelizerc')) return tool(folder, ['sequelize-cli', 'db:migrate'], '.sequelizerc');
  const kysely = has(...configs('kysely.config'));
  if (kysely !== null) return tool(folder, ['kysely', 'migrate:latest'], kysely);
  if (has('alembic.ini')) return { value: ['alembic', 'upgrade', 'head'], reason: 'alembic.ini exists' };
  if (has('manage.py')) return { value: ['python3', 'manage.py', 'migrate', '--noinput'], reason: 'manage.py exists (Django)' };
  if (has('bin/rails') && has('db/migrate')) return { value: ['bin/rails', 'db:migrate'], reason: 'bin/rails and db/migrate exist' };
  const flyway = has('flyway.toml', 'flyway.conf');
  if (flyway !== null) return { value: ['flyway', 'migrate'], reason: `${flyway} exists` };
  return null;
}

function fromFile(folder: ProjectFolder): Found<readonly string[]> | null {
  const file = folder.firstOf(FILES);
  return file === null ? null : { value: ['node', file], reason: `${file} exists` };
}

/** `npx` would download what is not installed, so it is only asked for the name. */
function tool(folder: ProjectFolder, argv: readonly [string, ...string[]], because: string): Found<readonly string[]> {
  const [program, ...rest] = argv;
  const local = `node_modules/.bin/${program}`;
  return {
    value: folder.has(local) ? [local, ...rest] : ['npx', '--no-install', program, ...rest],
    reason: because.includes(' and ') ? `${because} exist` : `${because} exists`,
  };
}

/**
 * A package.json script as a command. One program with plain arguments is run directly, since a package manager in
 * between delays the start by half a second and stands between Grace and the process it has to watch.
 */
export function runScript(folder: ProjectFolder, name: string): Found<readonly string[]> | null {
  const scripts = folder.packageJson()?.scripts ?? {};
  const text = Object.hasOwn(scripts, name) ? scripts[name] : undefined;
  if (text === undefined) return null;
  const hasHooks = Object.hasOwn(scripts, `pre${name}`) || Object.hasOwn(scripts, `post${name}`);
  const words = parseWords(text);
  const program = words.ok ? (words.argv[0] ?? '') : '';
  if (!hasHooks && words.ok) {
    if (['node', 'deno', 'python', 'python3', 'ruby', 'php', 'java'].includes(program))
      return { value: words.argv, reason: `package.json has scripts.${name}` };
    const local = `node_modules/.bin/${program}`;
    if (/^[\w.-]+$/.test(basename(program)) && !program.includes('/') && folder.has(local))
      return { value: [local, ...words.argv.slice(1)], reason: `package.json has scripts.${name}` };
  }
  const manager = packageManager(folder);
  return { value: name === 'start' ? [manager, 'start'] : [manager, 'run', name], reason: `package.json has scripts.${name}` };
}

function packageManager(folder: ProjectFolder): string {
  const declared = /^(npm|pnpm|yarn|bun)@/.exec(folder.packageJson()?.packageManager ?? '')?.[1];
  if (declared !== undefined) return declared;
  if (folder.has('pnpm-lock.yaml')) return 'pnpm';
  if (folder.has('yarn.lock')) return 'yarn';
  return folder.has('bun.lock') || folder.has('bun.lockb') ? 'bun' : 'npm';
}
