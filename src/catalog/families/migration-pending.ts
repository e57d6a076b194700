import { basename } from 'node:path';
import { factsOf, type CaseFile, type FailureFamily } from '../../domains/learning/index.ts';
import { CAREFUL, diagnosis, LIKELY, linesOf, PERHAPS, remedy, step, SURE } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';

/** The database is behind the code. */
export const migrationPending: FailureFamily = {
  name: 'migration_pending',
  title: 'migrations are pending',
  async diagnose(c) {
    const facts = factsOf(c, 'migration_pending');
    if (facts.length === 0 && !LOOKS_AT_SCHEMA.has(c.failure.symptom)) return [];
    const schema = await c.host.schemaDrift(c.component.name);
    const pending = schema?.pendingMigrations ?? [];
    const isWhole = schema === null || (schema.missingTables.length === 0 && schema.missingColumns.length === 0);
    const wentBack = (schema?.unrecordedMigrations.length ?? 0) > 0;
    // Only the record was lost: applying those again would fail on what they have made already.
    if (wentBack && isWhole) return [];
    if (facts.length === 0 && pending.length === 0) return [];
    const names = pending.length > 0 ? pending : facts.map((f) => f.subject).filter((s) => s !== '');
    const cause = `${names.length === 0 ? 'migrations are' : names.length === 1 ? `the migration ${names[0] ?? ''} is` : `${names.length} migrations are`} not applied to the database ${wentBack ? 'any more: it has gone back to an earlier state' : 'yet'}`;
    const evidence = [...linesOf(facts), ...pending.map((name) => `pending: ${name}`)];
    const confidence = facts.length > 0 ? SURE : factsOf(c, 'relation_missing').length > 0 ? LIKELY : 0.7;
    if (c.component.migrate.length === 0)
      return [
        diagnosis('migration_pending', {
          cause,
          confidence: Math.min(confidence, facts.length > 0 ? 1 : PERHAPS),
          evidence,
          advice: [await scriptAdvice(c), `set "migrate" for ${c.component.name}, then Grace does it`],
        }),
      ];
    return [
      diagnosis('migration_pending', {
        cause,
        confidence,
        evidence,
        remedy: remedy(
          'apply_pending_migrations',
          `apply pending migrations: ${[basename(c.component.migrate[0] ?? ''), ...c.component.migrate.slice(1)].join(' ')}`,
          CAREFUL,
          [step('apply pending migrations', 'run_migrations')],
        ),
        advice: [`run ${c.component.migrate.join(' ')}`],
      }),
    ];
  },
  guard: (g) => guardOfSteps('migration_pending', g),
};

const LOOKS_AT_SCHEMA: ReadonlySet<string> = new Set(['exit', 'not_ready', 'smoke', 'crash_loop', 'check']);

/** What the project itself calls its migration. */
async function scriptAdvice(c: CaseFile): Promise<string> {
  const manifest = await c.files.readText(`${c.component.cwd}/package.json`, 256 * 1024);
  const script = /"((?:db[:-]|prisma:|knex:)?migrat(?:e|ions?)(?:[:-](?:latest|deploy|up|run))?)"\s*:/.exec(manifest ?? '')?.[1];
  return script === undefined ? 'apply the migrations with the tool of the project' : `run npm run ${script}`;
}
