import type { DifferenceCare, DifferenceKind, SchemaDifference } from './difference.ts';
import { canonicalDefault } from './same-default.ts';
import { canonicalIndex, canonicalRule, canonicalView } from './same-rule.ts';
import { canonicalType, isWider } from './same-type.ts';
import { labelOf, type DatabaseSchema, type SchemaColumn, type SchemaEngine, type SchemaTable } from './schema.ts';
import {
  addColumn,
  addLabel,
  addRule,
  alterDefault,
  alterNullability,
  alterType,
  createEnum,
  createTable,
  createView,
  dropColumn,
  dropIndex,
  dropRule,
  dropTable,
  oneLine,
  replaceIndex,
} from './statement.ts';

/**
 * How a database differs from what it should be. Names count as the engine compares them, texts by what they mean: keys, conditions and
 * indexes of another name but with the same content are the same.
 * @returns  in the order of the expected tables, what is extra last; empty when they are of different engines
 */
export function compareSchemas(expected: DatabaseSchema, actual: DatabaseSchema): readonly SchemaDifference[] {
  if (expected.engine !== actual.engine) return [];
  const { engine } = expected;
  const present = new Map(actual.tables.map((table) => [keyOf(engine, table), table]));
  const wanted = new Set(expected.tables.map((table) => keyOf(engine, table)));
  return [
    ...missingEnums(expected, actual),
    ...expected.tables.flatMap((table) => {
      const found = present.get(keyOf(engine, table));
      return found === undefined ? missingTable(table, actual) : compareTables(engine, table, found);
    }),
    ...compareViews(expected, actual),
    ...actual.tables
      .filter((table) => !wanted.has(keyOf(engine, table)))
      .map((table) => difference('table_extra', table, '', 'changes', dropTable(table), null, 'there')),
  ];
}

/**
 * Tables of one name in several schemas that names without a schema are looked for in: which one is meant then depends on the search
 * path alone, and another role or setting reads and writes the other one.
 */
export function tablesTwice(actual: DatabaseSchema): readonly SchemaDifference[] {
  const order = new Map(actual.searchPath.map((schema, index) => [schema, index]));
  const reachable = actual.tables.filter(({ schema }) => order.has(schema));
  return [...Map.groupBy(reachable, ({ name }) => name).values()]
    .filter((same) => same.length > 1)
    .map((same) => {
      const [first, ...others] = same.toSorted((a, b) => (order.get(a.schema) ?? 0) - (order.get(b.schema) ?? 0));
      const table = first as SchemaTable;
      const actualText = [table, ...others].map(({ schema, name }) => `${schema}.${name}`).join(', ');
      return difference('table_twice', table, '', 'changes', null, null, actualText);
    });
}

function missingTable(table: SchemaTable, actual: DatabaseSchema): readonly SchemaDifference[] {
  const elsewhere = actual.tables.find(({ name, schema }) => name === table.name && schema !== table.schema);
  const statement = table.unsupported === null ? createTable(actual.engine, table) : null;
  return [
    difference(
      'table_missing',
      table,
      '',
      'adds',
      statement,
      null,
      elsewhere === undefined ? null : `${elsewhere.schema}.${elsewhere.name}`,
    ),
  ];
}

function compareTables(engine: SchemaEngine, expected: SchemaTable, actual: SchemaTable): readonly SchemaDifference[] {
  const present = new Map(actual.columns.map((column) => [nameKey(engine, column.name), column]));
  const wanted = new Set(expected.columns.map((column) => nameKey(engine, column.name)));
  const columns = expected.columns.flatMap((column) => {
    const found = present.get(nameKey(engine, column.name));
    return found === undefined ? missingColumn(engine, actual, column) : compareColumns(engine, expected, actual, column, found);
  });
  const extra = actual.columns
    .filter((column) => !wanted.has(nameKey(engine, column.name)))
    .map((column) => difference('column_extra', actual, column.name, 'changes', dropColumn(actual, column), null, columnNote(column)));
  // What hangs on a column that is missing is missing with it; it is told once.
  const gone = expected.columns.filter((column) => !present.has(nameKey(engine, column.name))).map(({ name }) => name);
  return [...columns, ...compareRules(engine, expected, actual, gone), ...compareIndexes(engine, expected, actual, gone), ...extra];
}

function missingColumn(engine: SchemaEngine, table: SchemaTable, column: SchemaColumn): readonly SchemaDifference[] {
  const isFree = column.isNullable || column.generated !== null || column.identity !== null || canonicalDefault(engine, column) !== null;
  return [
    difference(
      'column_missing',
      table,
      column.name,
      isFree ? 'adds' : 'asks_rows',
      addColumn(engine, table, column),
      columnNote(column),
      null,
    ),
  ];
}

/** `not null` where it stands in the way of those who do not know the column. */
function columnNote(column: SchemaColumn): string {
  const isNeeded = !column.isNullable && column.default === null && column.generated === null && column.identity === null;
  return isNeeded ? `${column.type} not null`.trim() : column.type;
}

function compareColumns(
  engine: SchemaEngine,
  expectedTable: SchemaTable,
  table: SchemaTable,
  expected: SchemaColumn,
  actual: SchemaColumn,
): readonly SchemaDifference[] {
  const found: SchemaDifference[] = [];
  const add = (kind: DifferenceKind, care: DifferenceCare, statement: string | null, was: string, is: string): void => {
    found.push(difference(kind, table, expected.name, care, statement, was, is));
  };
  const isStrict = expectedTable.isStrict && table.isStrict;
  if (canonicalType(engine, expected.type, isStrict) !== canonicalType(engine, actual.type, isStrict)) {
    const care = engine === 'postgres' && isWider(actual.type, expected.type) ? 'asks_rows' : 'changes';
    add('type_differs', care, alterType(engine, table, expected), expected.type, actual.type);
  }
  if (expected.isNullable !== actual.isNullable)
    add(
      'nullability_differs',
      expected.isNullable ? 'changes' : 'asks_rows',
      alterNullability(engine, table, expected),
      expected.isNullable ? 'null' : 'not null',
      actual.isNullable ? 'null' : 'not null',
    );
  if (expected.generated !== actual.generated)
    add('generation_differs', 'changes', null, expected.generated ?? 'not generated', actual.generated ?? 'not generated');
  const [was, is] = [canonicalDefault(engine, expected), canonicalDefault(engine, actual)];
  if (expected.generated === null && actual.generated === null && was !== is)
    add(
      'default_differs',
      'changes',
      alterDefault(engine, table, expected),
      expected.default ?? was ?? 'none',
      actual.default ?? is ?? 'none',
    );
  return found;
}

function compareRules(
  engine: SchemaEngine,
  expected: SchemaTable,
  table: SchemaTable,
  gone: readonly string[],
): readonly SchemaDifference[] {
  const left = table.rules.map((rule) => ({ rule, text: canonicalRule(rule), isTaken: false }));
  const unmatched = expected.rules.filter((rule) => {
    const text = canonicalRule(rule);
    const same = left.find((one) => !one.isTaken && one.text === text);
    if (same !== undefined) same.isTaken = true;
    return same === undefined && !isAbout(rule.definition, gone);
  });
  const open = () => left.filter(({ isTaken }) => !isTaken);
  // An index by itself keeps values unique as well as a key does.
  const unique = new Set(table.indexes.filter(({ isUnique }) => isUnique).map(({ sql }) => columnsIn(sql)));
  const differences = unmatched.flatMap((rule): readonly SchemaDifference[] => {
    if (rule.kind === 'unique' && unique.has(columnsIn(rule.definition))) return [];
    const shown = rule.name === '' ? rule.definition : rule.name;
    const other = open().find(
      (one) => one.rule.kind === rule.kind && (rule.kind === 'primary key' || (rule.name !== '' && one.rule.name === rule.name)),
    );
    if (other === undefined)
      return [
        difference('rule_missing', table, shown, 'asks_rows', addRule(engine, table, rule), `${rule.kind}: ${rule.definition}`, null),
      ];
    other.isTaken = true;
    const [drop, add] = [dropRule(engine, table, other.rule), addRule(engine, table, rule)];
    const statement = drop === null || add === null ? null : `${drop}; ${add}`;
    return [difference('rule_differs', table, shown, 'changes', statement, rule.definition, other.rule.definition)];
  });
  const wantedUnique = new Set(expected.indexes.filter(({ isUnique }) => isUnique).map(({ sql }) => columnsIn(sql)));
  const extra = open()
    .filter(({ rule }) => !(rule.kind === 'unique' && wantedUnique.has(columnsIn(rule.definition))))
    .map(({ rule }) => {
      const shown = rule.name === '' ? rule.definition : rule.name;
      return difference('rule_extra', table, shown, 'changes', dropRule(engine, table, rule), null, `${rule.kind}: ${rule.definition}`);
    });
  return [...differences, ...extra];
}

function compareIndexes(
  engine: SchemaEngine,
  expected: SchemaTable,
  table: SchemaTable,
  gone: readonly string[],
): readonly SchemaDifference[] {
  const left = table.indexes.map((index) => ({ index, text: canonicalIndex(engine, index), isTaken: false }));
  const unmatched = expected.indexes.filter((index) => {
    const text = canonicalIndex(engine, index);
    const same = left.find((one) => !one.isTaken && one.text === text);
    if (same !== undefined) same.isTaken = true;
    return same === undefined && !isAbout(index.sql.slice(index.sql.indexOf('(')), gone);
  });
  const uniqueRules = new Set(table.rules.filter(({ kind }) => kind === 'unique').map(({ definition }) => columnsIn(definition)));
  const differences = unmatched.flatMap((index): readonly SchemaDifference[] => {
    if (index.isUnique && uniqueRules.has(columnsIn(index.sql))) return [];
    const other = left.find((one) => !one.isTaken && one.index.name === index.name);
    if (other === undefined)
      return [difference('index_missing', table, index.name, index.isUnique ? 'asks_rows' : 'adds', oneLine(index.sql), index.sql, null)];
    other.isTaken = true;
    return [difference('index_differs', table, index.name, 'changes', replaceIndex(table, other.index, index), index.sql, other.index.sql)];
  });
  const wantedRules = new Set(expected.rules.filter(({ kind }) => kind === 'unique').map(({ definition }) => columnsIn(definition)));
  const extra = left
    .filter(({ isTaken, index }) => !isTaken && !(index.isUnique && wantedRules.has(columnsIn(index.sql))))
    .map(({ index }) => difference('index_extra', table, index.name, 'changes', dropIndex(table, index), null, index.sql));
  return [...differences, ...extra];
}

function compareViews(expected: DatabaseSchema, actual: DatabaseSchema): readonly SchemaDifference[] {
  const { engine } = expected;
  const present = new Map(actual.views.map((view) => [keyOf(engine, view), view]));
  return expected.views.flatMap((view) => {
    const found = present.get(keyOf(engine, view));
    const statement = createView(engine, view);
    if (found === undefined) return [difference('view_missing', view, '', 'adds', statement, null, null)];
    if (canonicalView(found) === canonicalView(view)) return [];
    return [difference('view_differs', view, '', 'changes', statement, view.definition, found.definition)];
  });
}

function missingEnums(expected: DatabaseSchema, actual: DatabaseSchema): readonly SchemaDifference[] {
  const present = new Map(actual.enums.map((type) => [labelOf(type), type]));
  return expected.enums.flatMap((type) => {
    const found = present.get(labelOf(type));
    if (found === undefined) return [difference('enum_missing', type, '', 'adds', createEnum(type), type.labels.join(', '), null)];
    return type.labels
      .filter((label) => !found.labels.includes(label))
      .map((label) => difference('label_missing', type, label, 'adds', addLabel(type, label), null, found.labels.join(', ')));
  });
}

function difference(
  kind: DifferenceKind,
  of: { readonly schema: string; readonly name: string },
  part: string,
  care: DifferenceCare,
  statement: string | null,
  expected: string | null,
  actual: string | null,
): SchemaDifference {
  return { kind, table: labelOf(of), part, expected, actual, care, statement };
}

function keyOf(engine: SchemaEngine, { schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${schema}\0${nameKey(engine, name)}`;
}

/** SQLite compares names without regard to the case of ASCII letters, PostgreSQL as they are. */
function nameKey(engine: SchemaEngine, name: string): string {
  return engine === 'sqlite' ? name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()) : name;
}

function isAbout(definition: string, columns: readonly string[]): boolean {
  const names = new Set(definition.split(/[^\p{L}\p{N}_$]+/u).map((name) => name.toLowerCase()));
  return columns.some((column) => names.has(column.toLowerCase()) || definition.includes(`"${column.replaceAll('"', '""')}"`));
}

/** `(a, b)` of a unique key or index, if it is about columns alone; else the whole, which equals nothing else. */
function columnsIn(sql: string): string {
  const found = /^[^(]*\(([^()]*)\)\s*$/.exec(sql.slice(0, 2000));
  return found === null ? sql : (found[1] ?? '').replaceAll(/[\s"]/g, '').toLowerCase();
}
