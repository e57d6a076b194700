import type { Check, CheckContext, Finding, SchemaLook, SchemaSource, Severity } from '../../domains/preflight/index.ts';
import { compareSchemas, tablesTwice, type SchemaDifference } from '../../domains/schema/index.ts';
import { found, listed } from './found.ts';

/** Making a scratch database and applying the migrations of years; the answer of that is remembered. */
const TIME_LIMIT_MS = 30_000;

/** Less than a line of a report may have. */
const PIECE_CHARS = 290;
const PIECES_MAX = 5;
const HINT_CHARS = 200;

type Looked = Extract<SchemaLook, { state: 'looked' }>;
type Expected = NonNullable<Looked['expected']>;

/** The schema of each database against what the service's migrations, its schema file or the last good boot say. */
export function schemaIntegrity(when: Check['when']): Check {
  return {
    name: 'schema_integrity',
    title: 'schema of the database',
    timeLimitMs: TIME_LIMIT_MS,
    when,
    isNeeded: async (context) => {
      const looks = await Promise.all(context.components.map((spec) => context.schemas.isThere(spec)));
      return looks.includes(true);
    },
    async run(context) {
      const findings: Finding[] = [];
      const unseen: string[] = [];
      // One after the other: components may share a server, which has to make a database for each.
      for (const spec of context.components) {
        const look = await context.schemas.look(spec, context.signal);
        if (look === null) continue;
        if (look.state !== 'looked') unseen.push(spec.name);
        findings.push(...findingsOf(spec.name, look, context));
      }
      return { findings, unseen };
    },
  };
}

function findingsOf(component: string, look: SchemaLook, context: CheckContext): readonly Finding[] {
  const say = (severity: Severity, code: string, message: string, hint: string): Finding =>
    found(context, { severity, code, component, message, hint });
  if (look.state !== 'looked') {
    // What is not there yet may be made by the service; whether it can be reached is another check's to say.
    if (look.state === 'absent') return [];
    const message = `the schema cannot be looked at: ${look.problem}`;
    return [say('warn', 'schema_unreadable', message, 'give the role of the service the right to read the catalog')];
  }
  const twice = tablesTwice(look.actual).map((one) => findingOf(one, null, component, context));
  if (look.pending.length > 0) {
    const message = `${count(look.pending.length, 'migration')} not applied yet: ${listed(look.pending, 5)}`;
    return [...twice, say('info', 'schema_not_compared', message, 'apply them; the schema is compared afterwards')];
  }
  const records =
    look.unrecorded.length === 0
      ? []
      : [
          say(
            'warn',
            'migrations_unrecorded',
            `${listed(look.unrecorded, 5)}: recorded at the last good boot, and not now`,
            'without the record they would be applied again; see: grace explain',
          ),
        ];
  const passedOver = look.leftOut.map((why) => say('info', 'schema_source_left_out', why, sourceHint(look.expected)));
  if (look.expected === null) return [...twice, ...records, ...passedOver];
  const { schema, source, name } = look.expected;
  // It may be made by the service itself when it first starts.
  if (look.actual.tables.length === 0 && schema.tables.length > 0)
    return [
      ...records,
      say(
        'info',
        'schema_empty',
        `the database has none of the ${count(schema.tables.length, 'table')} in ${name}`,
        'nothing to do if the service makes them when it starts',
      ),
      ...passedOver,
    ];
  const differences = compareSchemas(schema, look.actual).map((one) => findingOf(one, { source, name }, component, context));
  return [...twice, ...records, ...differences, ...passedOver];
}

function sourceHint(expected: Expected | null): string {
  return expected === null
    ? 'name the whole schema with schemaFile, or let a boot be verified: its schema is kept'
    : `it was compared with ${expected.name} instead`;
}

function findingOf(
  difference: SchemaDifference,
  by: { readonly source: SchemaSource; readonly name: string } | null,
  component: string,
  context: CheckContext,
): Finding {
  const wanted = by === null ? '' : by.source.endsWith('_file') ? by.name : `the schema of ${by.name}`;
  const seen = {
    severity: severityOf(difference, by?.source ?? null),
    code: CODES[difference.kind] ?? difference.kind,
    component,
    message: messageOf(difference, wanted),
    hint: hintOf(difference),
  };
  const plain = found(context, seen);
  return difference.statement === null ? plain : { ...plain, evidence: inPieces(difference.statement) };
}

/** Under one code where a person does the same about them. */
const CODES: Partial<Readonly<Record<SchemaDifference['kind'], string>>> = {
  table_missing: 'schema_table_missing',
  table_extra: 'schema_table_extra',
  table_twice: 'schema_table_twice',
  column_missing: 'schema_column_missing',
  column_extra: 'schema_column_extra',
  type_differs: 'schema_column_differs',
  nullability_differs: 'schema_column_differs',
  default_differs: 'schema_column_differs',
  generation_differs: 'schema_column_differs',
  rule_missing: 'schema_rule_differs',
  rule_extra: 'schema_rule_differs',
  rule_differs: 'schema_rule_differs',
  index_missing: 'schema_index_differs',
  index_extra: 'schema_index_differs',
  index_differs: 'schema_index_differs',
  view_missing: 'schema_view_differs',
  view_differs: 'schema_view_differs',
  enum_missing: 'schema_type_missing',
  label_missing: 'schema_type_missing',
};

/**
 * Only what the service itself wants, in its migrations or in the file that the config names, can be an error when it is gone. A file that
 * was merely found may be old, and the last good boot says how it was, not how it has to be.
 */
function severityOf(difference: SchemaDifference, source: SchemaSource | null): Severity {
  switch (difference.kind) {
    case 'table_missing':
    case 'column_missing':
      return source === 'migrations' || source === 'named_file' ? 'error' : 'warn';
    case 'table_extra':
    case 'index_extra':
    case 'rule_extra':
      return 'info';
    case 'column_extra':
      return isInTheWay(difference) ? 'warn' : 'info';
    default:
      return 'warn';
  }
}

/** Whoever does not know the column cannot insert a row. */
function isInTheWay({ kind, actual }: SchemaDifference): boolean {
  return kind === 'column_extra' && (actual ?? '').endsWith(' not null');
}

function messageOf(difference: SchemaDifference, wanted: string): string {
  const { kind, table, part, expected, actual } = difference;
  const column = `${table}.${part}`;
  switch (kind) {
    case 'table_missing':
      return actual === null
        ? `the table ${table} is missing; it is in ${wanted}`
        : `the table ${table} is missing; there is ${actual}, in another schema: the search path or the schema of the service may be wrong`;
    case 'table_extra':
      return `the table ${table} is not in ${wanted}`;
    case 'table_twice':
      return `there are ${actual ?? ''}: a name alone means the first one, and with another role or search path the other`;
    case 'column_missing':
      return `the column ${column} (${expected ?? ''}) is missing; it is in ${wanted}`;
    case 'column_extra':
      return isInTheWay(difference)
        ? `the column ${column} is not in ${wanted}, must have a value and has no default: inserts that do not know it fail`
        : `the column ${column} is not in ${wanted}`;
    case 'type_differs':
      return `the column ${column} is ${actual || 'without a type'}, and ${expected || 'without one'} in ${wanted}`;
    case 'nullability_differs':
      return expected === 'not null'
        ? `the column ${column} may be null; in ${wanted} it may not`
        : `the column ${column} may not be null; in ${wanted} it may: inserts without it fail`;
    case 'default_differs':
      return `the column ${column} has the default ${actual ?? 'none'}, and ${expected ?? 'none'} in ${wanted}`;
    case 'generation_differs':
      return `the column ${column} is ${actual ?? ''}; in ${wanted} it is ${expected ?? ''}`;
    case 'rule_missing':
      return `${table} lacks ${expected ?? part}; it is in ${wanted}`;
    case 'rule_extra':
      return `${table} has ${actual ?? part}, which is not in ${wanted}`;
    case 'rule_differs':
      return `${table}/${part} is ${actual ?? ''}, and ${expected ?? ''} in ${wanted}`;
    case 'index_missing':
      return `the index ${part} of ${table} is missing; it is in ${wanted}`;
    case 'index_extra':
      return `the index ${part} of ${table} is not in ${wanted}`;
    case 'index_differs':
      return `the index ${part} of ${table} is another than in ${wanted}`;
    case 'view_missing':
      return `the view ${table} is missing; it is in ${wanted}`;
    case 'view_differs':
      return `the view ${table} is another than in ${wanted}`;
    case 'enum_missing':
      return `the type ${table} is missing; it is in ${wanted}`;
    case 'label_missing':
      return `the type ${table} lacks ${JSON.stringify(part)}; it is in ${wanted}`;
  }
}

/** A report cuts each line of evidence; joined they are the statement. One that is longer still stands in the migrations. */
function inPieces(statement: string): readonly string[] {
  const pieces = Array.from({ length: Math.ceil(statement.length / PIECE_CHARS) }, (_, i) =>
    statement.slice(i * PIECE_CHARS, (i + 1) * PIECE_CHARS),
  );
  return pieces.length <= PIECES_MAX ? pieces : [...pieces.slice(0, PIECES_MAX - 1), '… and so on'];
}

function hintOf({ kind, care, statement: whole, actual }: SchemaDifference): string {
  if (kind === 'table_twice')
    return 'write the schema with the name, or remove the one that is not meant, once it is known which holds the data';
  if (kind === 'table_missing' && actual !== null) return 'look at the search path and the schema in the address of the database';
  const statement = whole === null || whole.length <= HINT_CHARS ? whole : `${whole.slice(0, HINT_CHARS)}… (whole: grace check --json)`;
  if (statement === null) return 'no single statement mends it: write a migration that makes the table anew and copies its rows';
  if (care === 'adds') return `loses nothing: ${statement}`;
  if (care === 'asks_rows') return `if the rows allow it: ${statement}`;
  return `only if it is meant, after a backup: ${statement}`;
}

function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`;
}
