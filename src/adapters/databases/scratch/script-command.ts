import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { DetectedMigrations, MigrationTool } from '../detected-migrations.ts';
import type { Project } from '../project-files.ts';

/** The program of each tool, and the words after which it applies what is pending and does nothing else. */
const DEPLOYS: Partial<Readonly<Record<MigrationTool, readonly [program: RegExp, words: RegExp]>>> = {
  prisma: [/^prisma$/, /^migrate deploy\b/],
  drizzle: [/^drizzle-kit$/, /^migrate\b/],
  knex: [/^knex$/, /\bmigrate:latest\b/],
  sequelize: [/^(?:sequelize|sequelize-cli)$/, /^db:migrate(?=\s|$)/],
  typeorm: [/^(?:typeorm|typeorm-ts-node-commonjs|typeorm-ts-node-esm)$/, /^migration:run\b/],
  kysely: [/^kysely$/, /\bmigrate:latest\b|^migrate latest\b/],
  'node-pg-migrate': [/^node-pg-migrate$/, /(?:^|\s)up(?=\s|$)/],
};
/** Words and options, and nothing for which a shell would be needed. */
const PLAIN = /^[\w./:@=, -]{1,300}$/;
/** Arguments that name a database instead of a variable. */
const NAMES_DATABASE = /:\/\/|--(?:url|connection|filename|host|database)\b/;

/**
 * The command in a script of the project that applies its migrations, when it is the tool's own and stands alone: its options are
 * those that the project needs. Scripts that do more are not run on trial.
 */
export async function commandOfScript(project: Project, { tool }: DetectedMigrations): Promise<readonly string[] | null> {
  const deploy = DEPLOYS[tool];
  if (deploy === undefined) return null;
  for (const body of Object.values(project.scripts)) {
    const [program = '', ...words] = body
      .trim()
      .replace(/^npx\s+(?:--no-install\s+)?/, '')
      .split(/\s+/);
    const line = words.join(' ');
    if (!deploy[0].test(program) || !deploy[1].test(line) || !PLAIN.test(line) || NAMES_DATABASE.test(line)) continue;
    const file = `node_modules/.bin/${program}`;
    if (
      await access(join(project.cwd, file)).then(
        () => true,
        () => false,
      )
    )
      return [file, ...words];
  }
  return null;
}
