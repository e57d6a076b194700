import type { Fact } from '../../domains/incidents/index.ts';
import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { SchemaDrift } from '../../domains/playbooks/index.ts';
import { CAREFUL, diagnosis, failsToWork, LIKELY, linesOf, PERHAPS, PLAUSIBLE, remedy, step, SURE, text, WORDS_ONLY } from './answer.ts';
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
    // Migrations come first: they may make what is missing, with what belongs into it.
    const isBehind = schema.pendingMigrations.length > 0 || schema.unrecordedMigrations.length > 0;
    if (schema.missingTables.length === 0) return [columnsGone(c, schema, facts, !isBehind && moved.length === 0)];
    const tables = schema.missingTables;
    const wantedBy = wanterOf(schema, tables.length === 1 ? 'it' : 'them');
    return [
      diagnosis('schema_missing', {
        cause: `${tables.length === 1 ? `the table ${tables[0] ?? ''} is` : `the tables ${tables.slice(0, 5).join(', ')} are`} gone; ${wantedBy}${moved.length > 0 ? `, but ${moved.map((d) => d.subject).join(', ')} changed: it may be another database` : ''}`,
        confidence: isBehind ? 0.5 : isNamed ? SURE : facts.length > 0 ? LIKELY : PLAUSIBLE,
        evidence: [...evidence, ...tables.map((table) => `missing: ${table}`), ...moved.map((d) => d.message)],
        remedy:
          !isBehind && moved.length === 0
            ? remedy('restore_missing_tables', `create ${tables.join(', ')} again, empty, ${asBefore(schema)}`, CAREFUL, [
                step(`create ${tables.join(', ')} again, empty`, 'restore_tables', { tables }),
              ])
            : null,
        advice: [`restore the rows of ${tables.join(', ')} from a backup: only the empty tables can be made again`],
      }),
    ];
  },
  guard: (g) => guardOfSteps('schema_missing', g),
};

/** A migration that was recorded since may have taken the columns away on purpose: then only a complaint about one counts. */
function columnsGone(c: CaseFile, schema: SchemaDrift, facts: readonly Fact[], isSameSchema: boolean): Diagnosis {
  const columns = schema.missingColumns;
  const isNamed = columns.some((column) => facts.some((f) => isSameRelation(column, f.subject)));
  const isOnPurpose = (schema.recordedSince ?? []).length > 0 && !isNamed;
  const shown = columns.slice(0, 5).join(', ');
  return diagnosis('schema_missing', {
    cause: `columns are gone that ${wanterOf(schema, '')}: ${shown}`,
    confidence: isNamed ? SURE : facts.length > 0 ? LIKELY : isOnPurpose || !failsToWork(c) ? PERHAPS : PLAUSIBLE,
    evidence: [...linesOf(facts), ...columns.map((column) => `missing: ${column}`)],
    remedy:
      isSameSchema && !isOnPurpose
        ? remedy('restore_missing_columns', `add ${shown} again, empty, ${asBefore(schema)}`, CAREFUL, [
            step(`add ${shown} again, empty`, 'restore_columns', { columns }),
          ])
        : null,
    advice: [`find out who changed the table; restore the values of ${shown} from a backup: only the empty columns can be made again`],
  });
}

function wanterOf({ wantedBy }: SchemaDrift, what: string): string {
  const wants = `${wantedBy === undefined ? 'the last good boot had' : 'the release has'} ${what}`.trim();
  return wantedBy === undefined ? wants : `${wants}, by ${wantedBy}`;
}

function asBefore({ wantedBy }: SchemaDrift): string {
  return wantedBy === undefined
    ? 'as at the last good boot'
    : `as ${wantedBy} ${wantedBy.startsWith('the migrations') ? 'make' : 'makes'} it`;
}

const EMPTY = { kind: 'relation_missing', runtime: 'unknown', code: '', subject: '', details: {}, line: '', lineIndex: 0 } as const;

/** `public.users` and `users` are one. */
function isSameRelation(a: string, b: string): boolean {
  const bare = (name: string): string => name.replaceAll('"', '').split('.').at(-1)?.toLowerCase() ?? '';
  return bare(a) === bare(b);
}
