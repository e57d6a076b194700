import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { CAREFUL, diagnosis, linesOf, PERHAPS, remedy, step, SURE } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';

/** The history table lost rows: a migration runs again and finds its table there. It is recorded, not repeated. */
export const migrationUnrecorded: FailureFamily = {
  name: 'migration_unrecorded',
  title: 'an applied migration is not recorded',
  async diagnose(c) {
    const facts = factsOf(c, 'relation_exists', 'migration_failed');
    if (facts.length === 0 && !['exit', 'not_ready', 'crash_loop', 'check'].includes(c.failure.symptom)) return [];
    const schema = await c.host.schemaDrift(c.component.name);
    const migrations = schema?.unrecordedMigrations ?? [];
    const existing = facts.filter((f) => f.kind === 'relation_exists');
    if (migrations.length === 0) {
      if (existing.length === 0) return [];
      return [
        diagnosis('migration_unrecorded', {
          cause: `${existing[0]?.subject || 'something'} exists already: a migration is applied a second time`,
          confidence: PERHAPS,
          evidence: linesOf(existing),
          advice: ['compare the history table of the migrations with the schema, and record what is applied already'],
        }),
      ];
    }
    // A schema that lacks tables as well has gone back as a whole: recording would hide that.
    const isWhole = schema !== null && schema.missingTables.length === 0 && schema.missingColumns.length === 0;
    if (!isWhole && c.component.migrate.length > 0 && existing.length === 0) return []; // applied again, as pending ones
    const names = migrations.map((m) => m.slice(m.lastIndexOf('/') + 1)).join(', ');
    return [
      diagnosis('migration_unrecorded', {
        cause: `${names} ${migrations.length === 1 ? 'was' : 'were'} applied before the last good boot, and the history table does not say so any more${isWhole ? '' : '; parts of the schema are gone too'}`,
        confidence: existing.length > 0 ? SURE : isWhole ? 0.7 : PERHAPS,
        evidence: [...linesOf(facts), ...migrations.map((m) => `not recorded: ${m}`)],
        remedy: isWhole
          ? remedy('record_applied_migrations', `record ${names} as applied`, CAREFUL, [
              step(`record ${names} as applied`, 'record_migrations', { migrations }),
            ])
          : null,
        advice: ['compare the history table of the migrations with the schema'],
      }),
    ];
  },
  guard: (g) => guardOfSteps('migration_unrecorded', g),
};
