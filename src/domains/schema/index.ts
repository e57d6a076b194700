// What the schema of a database is, and how what is there differs from what should be: by name, with what the difference means and the
// statement that would mend it. Two texts that mean the same are the same, however a database or a person writes them.
export { compareSchemas, tablesTwice } from './compare-schemas.ts';
export type { DifferenceCare, DifferenceKind, SchemaDifference } from './difference.ts';
export {
  labelOf,
  type DatabaseSchema,
  type SchemaColumn,
  type SchemaEngine,
  type SchemaIndex,
  type SchemaRule,
  type SchemaTable,
  type SchemaView,
} from './schema.ts';
