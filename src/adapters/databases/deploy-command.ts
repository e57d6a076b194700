import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { DetectedMigrations } from './detected-migrations.ts';
import type { Project } from './project-files.ts';

/** Script names that projects use for "bring the database to this release", the most explicit first. */
const SCRIPTS = [
  'migrate:deploy',
  'db:migrate:deploy',
  'db:deploy',
  'migrate:latest',
  'db:migrate:latest',
  'migrate:up',
  'db:migrate:up',
  'migration:run',
  'migrations:run',
  'db:migrate',
  'migrate',
  'db:migrations',
] as const;

/** Words of commands that go backwards, ask questions, or lose data: a script that has one is for people. */
const NOT_FOR_US =
  /\b(?:reset|push|drop|down|undo|rollback|revert|redo|fresh|refresh|wipe|clean|flush|sync|repair|seed|unlock|force|rm|truncate|baseline|stamp|fake|create|generate|make)\b|migrate\s+dev\b|accept-data-loss|schema:(?:sync|drop)|--watch\b/i;

/** The project's own script (it knows folders, environment and loaders), or else the tool's deploy command. */
export async function deployCommand(project: Project, detected: DetectedMigrations): Promise<readonly string[] | null> {
  const script = SCRIPTS.find((name) => isSafeScript(project.scripts, name));
  if (script !== undefined) return [packageManager(project), 'run', script];
  return await toolCommand(project, detected);
}

/** npm runs `premigrate` and `postmigrate` around `migrate`: they have to be as harmless. */
function isSafeScript(scripts: Readonly<Record<string, string>>, name: string): boolean {
  const bodies = [scripts[name], scripts[`pre${name}`], scripts[`post${name}`]].filter((body) => body !== undefined);
  if (scripts[name] === undefined || bodies.some((body) => NOT_FOR_US.test(body))) return false;
  // One script calling another is judged by the other.
  return bodies.every((body) =>
    [...body.matchAll(/\b(?:npm|pnpm|yarn)\s+(?:run\s+)?([\w:.-]+)/g)].every(
      ([, other]) => other === name || !NOT_FOR_US.test(scripts[other!] ?? ''),
    ),
  );
}

function packageManager({ names }: Project): string {
  return names.has('pnpm-lock.yaml') ? 'pnpm' : names.has('yarn.lock') ? 'yarn' : 'npm';
}

/** The tool's own deploy command; null when it is not installed, or has none that is safe to run unattended. */
export async function toolCommand(project: Project, { tool, folder, argument }: DetectedMigrations): Promise<readonly string[] | null> {
  const local = async (name: string, ...argv: readonly string[]) =>
    (await exists(project, `node_modules/.bin/${name}`)) ? [`node_modules/.bin/${name}`, ...argv] : null;
  const python = async (name: string) => {
    for (const environment of ['.venv', 'venv'])
      if (await exists(project, `${environment}/bin/${name}`)) return `${environment}/bin/${name}`;
    return name;
  };
  switch (tool) {
    case 'drizzle':
      return local('drizzle-kit', 'migrate');
    case 'knex':
      return local('knex', 'migrate:latest');
    case 'sequelize':
      return local('sequelize-cli', 'db:migrate');
    case 'prisma':
      return local('prisma', 'migrate', 'deploy');
    case 'typeorm':
      // A data source in TypeScript needs the loader that only the project knows.
      return argument === null ? null : local('typeorm', 'migration:run', '-d', argument);
    case 'kysely':
      return local('kysely', 'migrate:latest');
    case 'db-migrate':
      return local('db-migrate', 'up');
    case 'node-pg-migrate':
      return local('node-pg-migrate', 'up');
    case 'alembic':
      return [await python('alembic'), 'upgrade', 'head'];
    case 'django':
      return [await python('python'), 'manage.py', 'migrate', '--noinput'];
    case 'rails':
      return (await exists(project, 'bin/rails')) ? ['bin/rails', 'db:migrate'] : ['bundle', 'exec', 'rails', 'db:migrate'];
    case 'flyway':
      return ['flyway', 'migrate'];
    case 'liquibase':
      return ['liquibase', 'update'];
    case 'goose':
      return ['goose', '-dir', folder, 'up'];
    case 'dbmate':
      return ['dbmate', '--migrations-dir', folder, '--no-dump-schema', 'migrate'];
    // It takes the URL, with its password, as an argument that every process of the machine can read.
    case 'golang-migrate':
    case 'sql':
      return null;
  }
}

function exists(project: Project, path: string): Promise<boolean> {
  return access(join(project.cwd, path)).then(
    () => true,
    () => false,
  );
}
