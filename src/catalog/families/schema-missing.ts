import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { CAREFUL, diagnosis, LIKELY, linesOf, PERHAPS, PLAUSIBLE, remedy, step, SURE, text, WORDS_ONLY } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';

/** Tables or columns are gone that the last good boot had. */
export const schemaMissing: FailureFamily = {
  name: 'schema_missing',
  title: 'the database lacks tables or columns',
  async diagnose(c) {
    const facts = factsOf(c, 'relation_missing');
    if (facts.length === 0 && !['smoke', 'exit', 'not_ready', 'liveness', 'check', 'crash_loop'].includes(c.failure.symptom)) return [];
    const schema = await c.host.schemaDrift(c.component.name);
    const evidence = linesOf(facts);
    const named = [...new Set(facts.map((f) => f.subject).filter((s) => s !== ''))];
    if (schema === null || (schema.missingTables.length === 0 && schema.missingColumns.length === 0)) {
      if (facts.length === 0 || (schema !== null && schema.pendingMigrations.length > 0)) return [];
      const migrate = c.component.migrate;
      return [
        diagnosis('schema_missing', {
          cause: `the database has no ${text(facts[0] ?? EMPTY, 'object') || 'relation'} ${named.join(', ')}`,
          confidence: WORDS_ONLY,
          evidence,
          remedy:
            migrate.length === 0
              ? null
              : remedy('apply_pending_migrations', `apply migrations: ${migrate.join(' ')}`, CAREFUL, [
                  step('apply pending migrations', 'run_migrations'),
                ]),
          advice: [migrate.length > 0 ? `run ${migrate.join(' ')}` : 'apply the migrations, or check whether it is the right database'],
        }),
      ];
    }
    // Another database than before is not a database that lost its tables.
    const moved = c.drift.filter(
      (d) => (d.kind === 'env_key_changed' || d.kind === 'env_key_missing') && /DATABASE|DB_|_DB$|^PG|SQLITE|POSTGRES/i.test(d.subject),
    );
    const isNamed = schema.missingTables.some((table) => named.some((n) => isSameRelation(table, n)));
    if (schema.missingTables.length === 0)
      return [
        diagnosis('schema_missing', {
          cause: `columns are gone that the last good boot had: ${schema.missingColumns.join(', ')}`,
          confidence: facts.length > 0 ? LIKELY : PERHAPS,
          evidence: [...evidence, ...schema.missingColumns.map((column) => `missing: ${column}`)],
          advice: ['find out who changed the table; bring the columns back from a backup or a migration'],
        }),
      ];
    const tables = schema.missingTables;
    // Migrations come first: they may make the tables, with what belongs into them.
    const isBehind = schema.pendingMigrations.length > 0 || schema.unrecordedMigrations.length > 0;
    return [
      diagnosis('schema_missing', {
        cause: `${tables.length === 1 ? `the table ${tables[0] ?? ''} is` : `the tables ${tables.slice(0, 5).join(', ')} are`} gone; the last good boot had ${tables.length === 1 ? 'it' : 'them'}${moved.length > 0 ? `, but ${moved.map((d) => d.subject).join(', ')} changed: it may be another database` : ''}`,
        confidence: isBehind ? 0.5 : isNamed ? SURE : facts.length > 0 ? LIKELY : PLAUSIBLE,
        evidence: [...evidence, ...tables.map((table) => `missing: ${table}`), ...moved.map((d) => d.message)],
        remedy:
          !isBehind && moved.length === 0
            ? remedy('restore_missing_tables', `create ${tables.join(', ')} again, empty, as at the last good boot`, CAREFUL, [
                step(`create ${tables.join(', ')} again, empty`, 'restore_tables', { tables }),
              ])
            : null,
        advice: [`restore the rows of ${tables.join(', ')} from a backup: only the empty tables can be made again`],
      }),
    ];
  },
  guard: (g) => guardOfSteps('schema_missing', g),
};

const EMPTY = { kind: 'relation_missing', runtime: 'unknown', code: '', subject: '', details: {}, line: '', lineIndex: 0 } as const;

/** `public.users` and `users` are one. */
function isSameRelation(a: string, b: string): boolean {
  const bare = (name: string): string => name.replaceAll('"', '').split('.').at(-1)?.toLowerCase() ?? '';
  return bare(a) === bare(b);
}
