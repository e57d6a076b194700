/** What is different, by name. `missing`: it should be there; `extra`: it is there and nobody asked for it. */
export type DifferenceKind =
  | 'table_missing'
  | 'table_extra'
  | 'table_twice'
  | 'column_missing'
  | 'column_extra'
  | 'type_differs'
  | 'nullability_differs'
  | 'default_differs'
  | 'generation_differs'
  | 'rule_missing'
  | 'rule_extra'
  | 'rule_differs'
  | 'index_missing'
  | 'index_extra'
  | 'index_differs'
  | 'view_missing'
  | 'view_differs'
  | 'enum_missing'
  | 'label_missing';

/**
 * What mending it can do to what is there. `adds`: nothing is lost and no row can be in the way. `asks_rows`: rows that are there may
 * not allow it. `changes`: something that is there becomes another or goes.
 */
export type DifferenceCare = 'adds' | 'asks_rows' | 'changes';

export interface SchemaDifference {
  readonly kind: DifferenceKind;
  /** The table or view, with its schema where that is not the usual one. */
  readonly table: string;
  /** The column, key, index or label; '' where the table itself is meant. */
  readonly part: string;
  readonly expected: string | null;
  readonly actual: string | null;
  readonly care: DifferenceCare;
  /** What would mend it; null where one statement cannot. */
  readonly statement: string | null;
}
