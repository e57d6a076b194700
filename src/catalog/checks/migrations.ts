import type { Check, Finding, MigrationLook } from '../../domains/preflight/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { found, listed } from './found.ts';

/**
 * Whether the migrations of a component are what its database has recorded. It only warns: a service may well run on a schema that
 * is ahead of it, or behind, and where it cannot, its failure is captured.
 */
export const migrations: Check = {
  name: 'migrations',
  title: 'migrations and their record',
  timeLimitMs: 10_000,
  when: 'beside_start',
  async isNeeded({ components, migrations: looks }) {
    for (const spec of components) if (await looks.isThere(spec)) return true;
    return false;
  },
  async run(context) {
    const findings: Finding[] = [];
    const unseen: string[] = [];
    // Several processes of one release have one folder and one database.
    const seen = new Set<string>();
    for (const spec of context.components) {
      if (!(await context.migrations.isThere(spec))) continue;
      const look = await context.migrations.look(spec);
      if (look === 'unseen') unseen.push(spec.name);
      if (look === null || look === 'unseen') continue;
      const said = JSON.stringify([spec.cwd, look]);
      if (seen.has(said)) continue;
      seen.add(said);
      const base = { component: spec.name, severity: 'warn' } as const;
      findings.push(...problemsOf(look, spec).map((problem) => found(context, { ...base, ...problem })));
    }
    return { findings, unseen };
  },
};

type Problem = Pick<Finding, 'code' | 'message' | 'hint'>;

function problemsOf(look: MigrationLook, spec: ComponentSpec): readonly Problem[] {
  const { tool, folder, pending, unrecorded, edited, missing, failed } = look;
  const problems: (Problem & { readonly names: readonly string[] })[] = [
    {
      // What Grace is told to apply is the business of the stage that does so.
      names: spec.migrate.length > 0 ? [] : pending,
      code: 'migrations_pending',
      message: `${of(pending, tool)} not applied: ${listed(pending)}`,
      hint: `${shown(look.apply) ?? `apply ${folder} with ${tool}`}; with components.${spec.name}.migrate Grace does it before each start`,
    },
    {
      names: unrecorded,
      code: 'migrations_unrecorded',
      message: `${of(unrecorded, tool)} not recorded, although the tables are there: ${listed(unrecorded)}`,
      hint: RECORD[tool]?.(unrecorded[0] ?? '') ?? `compare the tables with ${folder}, then add the missing names to the record of ${tool}`,
    },
    {
      names: edited,
      code: 'migration_edited',
      message: `${of(edited, tool)} not what was applied: ${listed(edited)}`,
      hint: `put the file back as it was, and write the change into a new migration${tool === 'flyway' ? '; `flyway repair` when only its comments changed' : ''}`,
    },
    {
      names: missing,
      code: 'migration_missing',
      message: `${of(missing, tool)} recorded and without a file in ${folder}: ${listed(missing)}`,
      hint: 'deploy the release that has them, or bring the files back; was the database used by a newer release?',
    },
    {
      names: failed,
      code: 'migration_unfinished',
      message: `${of(failed, tool)} recorded as begun and not as done: ${listed(failed)}`,
      hint:
        tool === 'prisma'
          ? `compare the schema with it, then \`npx prisma migrate resolve --rolled-back ${failed[0]}\`, or --applied`
          : `compare the schema with it, mend what is left of it, then let ${tool} repair its record`,
    },
  ];
  return problems.filter(({ names }) => names.length > 0).map(({ code, message, hint }) => ({ code, message, hint }));
}

/** The tools that have a command which only writes the record. */
const RECORD: Readonly<Record<string, (name: string) => string>> = {
  prisma: (name) => `compare the tables with it, then \`npx prisma migrate resolve --applied ${name}\``,
  flyway: () => 'compare the tables with it, then `flyway baseline` or `flyway migrate -skipExecutingMigrations=true`',
  alembic: (name) => `compare the tables with it, then \`alembic stamp ${name}\``,
};

function of(names: readonly string[], tool: string): string {
  return names.length === 1 ? `one migration of ${tool} is` : `${names.length} migrations of ${tool} are`;
}

function shown(command: readonly string[] | null): string | null {
  return command === null ? null : `\`${command.join(' ').replace(/^node_modules\/\.bin\//, 'npx ')}\``;
}
