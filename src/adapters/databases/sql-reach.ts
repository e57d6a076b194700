/**
 * How far SQL reaches. What is run in a scratch database beside the live one, on the same server, must have no effect outside of it: no
 * roles, no settings of the server, no other database, no file, no other session, nothing that is sent. No parser decides what a server
 * would do with a text, so this asks for less: a list of statements that are known to stay, and of words that speak against all of them.
 */

/** One statement as it stands; `start` and `end` are places in the whole text, without the semicolon. */
export interface SqlStatement {
  /** Without comments; a space stands for each. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts a text at the semicolons that are in no quotes, no comment and no `$$` body. One pass, whatever it is given. A trigger of
 * SQLite is cut inside its body as well: then each part of it is looked at by itself.
 */
export function sqlStatements(sql: string): readonly SqlStatement[] {
  const statements: SqlStatement[] = [];
  let parts: string[] = [];
  let [start, from, at] = [0, 0, 0];
  const take = (end: number): void => {
    parts.push(sql.slice(from, at));
    const text = parts.join('').trim();
    if (text !== '') statements.push({ text, start, end: at });
    parts = [];
    at = from = start = end;
  };
  while (at < sql.length) {
    const char = sql[at] as string;
    if (char === ';') take(at + 1);
    else if (sql.startsWith('--', at) || sql.startsWith('/*', at)) {
      parts.push(sql.slice(from, at), ' ');
      // PostgreSQL nests comments and SQLite does not: what only one of them takes for a statement is looked at as one.
      at = char === '-' ? placeAfter(sql, '\n', at) : placeAfter(sql, '*/', at + 2);
      from = at;
    } else if (char === "'") at = afterQuote(sql, at, char, /(?:^|\W)e$/i.test(sql.slice(Math.max(0, at - 2), at)));
    else if (char === '"' || char === '`') at = afterQuote(sql, at, char, false);
    else if (char === '$') at = afterDollar(sql, at);
    else at += 1;
  }
  take(sql.length);
  return statements;
}

function placeAfter(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found < 0 ? text.length : found + mark.length;
}

function afterQuote(text: string, from: number, quote: string, hasEscapes: boolean): number {
  for (let at = from + 1; at < text.length; at += 1) {
    if (hasEscapes && text[at] === '\\') at += 1;
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at + 1;
      at += 1;
    }
  }
  return text.length;
}

const DOLLAR = /\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]{0,62})?\$/iy;

function afterDollar(text: string, from: number): number {
  DOLLAR.lastIndex = from;
  const mark = /[\w$]/.test(text[from - 1] ?? ' ') ? undefined : DOLLAR.exec(text)?.[0];
  return mark === undefined ? from + 1 : placeAfter(text, mark, from + mark.length);
}

/** Functions whose name begins as those of the server do, and that only look, or stay in their database. */
const PG_FUNCTION_STAYS =
  'get_\\w+|typeof|notify|(?:try_)?advisory_\\w+|trigger_depth|backend_pid|column_size|\\w+_is_visible|relation_size|table_size|' +
  'total_relation_size|indexes_size|size_pretty|encoding_to_char|char_to_encoding|has_role|describe_object|identify_object|' +
  'my_temp_schema|is_other_temp_schema|index_column_has_property|options_to_table|tablespace_location|input_is_valid';

/** Statements and functions that reach beyond their database, also when a body or a text only holds them. */
const BEYOND: readonly RegExp[] = [
  /\b(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:ROLE|USER|GROUP|DATABASE|TABLESPACE|SUBSCRIPTION|PUBLICATION|SERVER|SYSTEM|EVENT\s+TRIGGER|FOREIGN|(?:TRUSTED\s+|PROCEDURAL\s+){0,2}LANGUAGE)\b/i,
  // A membership has no object that it is granted on.
  /\b(?:GRANT|REVOKE)\b(?:(?!\bON\b)[^;]){0,500}\b(?:TO|FROM)\b/i,
  /\b(?:DROP|REASSIGN)\s+OWNED\b/i,
  /\bON\s+(?:DATABASE|TABLESPACE|PARAMETER)\b/i,
  // Kept for the whole server. Elsewhere these words may be the names of tables.
  /\b(?:COMMENT|LABEL)\b[^;']{0,200}\bON\s+(?:ROLE|SUBSCRIPTION|PUBLICATION|SERVER)\b/i,
  /\bIMPORT\s+FOREIGN\s+SCHEMA\b/i,
  /\bSET\s+(?:(?:LOCAL|SESSION)\s+)?"?(?:ROLE|SESSION\s+AUTHORIZATION|SESSION_AUTHORIZATION)\b/i,
  /\bset_config"?\s*\(\s*'(?:role|session_authorization)'/i,
  /\bstandard_conforming_strings\b['"]?\s*(?:=|TO|,)(?!['"\s]*on\b)/i,
  /\bCOPY\b[^;]{0,500}\b(?:FROM|TO)\b/i,
  // The untrusted languages do what they like. The word itself is often a column.
  /\bLANGUAGE\s+['"]?(?:c|internal|plsh|plr|pljava|pl\w{1,20}u)\b/i,
  new RegExp(`\\bpg_(?!(?:${PG_FUNCTION_STAYS})"?\\s*\\()\\w+"?\\s*\\(`, 'i'),
  /\b(?:dblink\w*|postgres_fdw\w*|pg_cron|pg_net|lo_import|lo_export|pg_\w*replication\w*|pg_logical\w*|pg_read_\w+|pg_ls_\w+|pg_sleep\w*)\b/i,
  /\b(?:query_to_xml\w*|http(?:_\w+)?"?\s*\()/i,
  /\b(?:cron|net|dblink|aws_\w{1,40})"?\s*\.\s*"?\w+"?\s*\(/i,
  /\bFROM\s+PROGRAM\b/i,
  /\b(?:ATTACH|DETACH)\s+(?:DATABASE\b|['"])/i,
  /\bVACUUM\b[^;]{0,200}\bINTO\b/i,
  /\b(?:load_extension|readfile|writefile)\b/i,
];

/** @returns the words of a text that reach beyond its database; null when it has none. Comments are the caller's to leave out. */
export function wordsBeyond(sql: string): string | null {
  for (const pattern of BEYOND) {
    const found = pattern.exec(sql);
    if (found !== null) return found[0].replaceAll(/\s+/g, ' ').slice(0, 60);
  }
  return null;
}

/** Of a program that sends statements one by one: it may ask for whatever it likes, as long as that stays. */
export function reachesBeyond(sql: string): string | null {
  return wordsBeyond(
    sqlStatements(sql)
      .map(({ text }) => text)
      .join(';\n'),
  );
}

const KINDS =
  'TABLE|INDEX|TYPE|SEQUENCE|VIEW|MATERIALIZED VIEW|FUNCTION|PROCEDURE|ROUTINE|AGGREGATE|TRIGGER|CONSTRAINT TRIGGER|SCHEMA|DOMAIN|EXTENSION|' +
  'POLICY|RULE|STATISTICS|COLLATION|CAST|OPERATOR|TEXT SEARCH';
/** What makes, changes or fills a schema. A text of SQL that has anything else in it is not run. */
const STAYS = new RegExp(
  '^(?:' +
    [
      `CREATE (?:OR REPLACE )?(?:GLOBAL |LOCAL )?(?:TEMP |TEMPORARY |UNLOGGED |UNIQUE |VIRTUAL |RECURSIVE )?(?:${KINDS})`,
      `(?:ALTER|DROP) (?:${KINDS}|DEFAULT PRIVILEGES)`,
      'COMMENT ON',
      '(?:GRANT|REVOKE)',
      '(?:INSERT|REPLACE) (?:OR \\w+ )?INTO',
      'UPDATE',
      'DELETE FROM',
      'TRUNCATE',
      'WITH',
      'SELECT',
      'REFRESH MATERIALIZED VIEW',
      '(?:RE)?INDEX',
      'ANALYZE',
      'VACUUM',
      'LOCK',
      'PRAGMA',
      'SET',
      'RESET',
      'DO',
      'BEGIN',
      'START TRANSACTION',
      'COMMIT',
      'END',
      'SAVEPOINT',
      'RELEASE',
      'ROLLBACK',
    ].join('|') +
    ')\\b',
  'i',
);

/** Calls in a `SELECT`, which is there for what it does; and words that a bracket may follow. */
const CALLS =
  /^(?:setval|nextval|currval|set_config|pg_get_serial_sequence|raise|coalesce|nullif|greatest|least|max|min|count|sum|exists|lower|upper|now|in|as|and|or|not|on|from|where|select|values|using|over|any|all|case|when|then|else|having|by|filter|cast|with|numeric|varchar|char|strftime|date|datetime|time|julianday|length|substr|substring|trim|replace|round|abs|concat|to_char|to_date|to_timestamp|gen_random_uuid|uuid_generate_v\d|random|row_number|rank|array_agg|string_agg|json\w{0,30}|date_trunc|extract|generate_series|unnest)$/i;
const CALL = /([\p{L}_][\p{L}\p{N}_$]{0,62})"?\s{0,9}\(/gu;

/** @returns what speaks against running a text in a scratch database on the server of the live one; null when nothing does */
export function whyItMayReach(statements: readonly SqlStatement[]): string | null {
  for (const { text } of statements) {
    const words = wordsBeyond(text);
    if (words !== null) return `has a statement that reaches beyond its database: ${words}`;
    const head = text.slice(0, 200).replaceAll(/\s+/g, ' ');
    const named = `${head.split(/[ (]/, 4).join(' ').trim().slice(0, 60)} …`;
    if (!STAYS.test(head)) return `has a statement of which it is not known that it stays in its database: ${named}`;
    if (/^SELECT\b/i.test(head))
      for (const [, name] of withoutTexts(text).matchAll(CALL))
        if (!CALLS.test(name as string)) return `calls a function of which it is not known that it stays in its database: ${name}`;
    // Once it is put together from parts, nobody knows what it is.
    if (/^DO\b/i.test(head) && /\bEXECUTE\b(?!\s*(?:format\s*\(|'|FUNCTION\b|PROCEDURE\b))/i.test(text))
      return 'has a DO block that puts its statements together';
  }
  return null;
}

function withoutTexts(text: string): string {
  let out = '';
  for (let at = 0; at < text.length;) {
    const isText = text[at] === "'";
    const next = isText ? afterQuote(text, at, "'", /(?:^|\W)e$/i.test(text.slice(Math.max(0, at - 2), at))) : at + 1;
    out += isText ? "''" : text[at];
    at = next;
  }
  return out;
}

/** An empty database has them already, or they say who owns and who may use what, which is no part of the schema. */
const NO_PART = [
  /^CREATE SCHEMA (?:IF NOT EXISTS )?"?public"?$/i,
  /^CREATE TABLE (?:IF NOT EXISTS )?"?sqlite_sequence"? ?\(/i,
  /^COMMENT ON (?:EXTENSION|SCHEMA)\b/i,
  /^(?:GRANT|REVOKE)\b/i,
  /^ALTER .{1,180} OWNER TO \S+$/i,
];

/** The text without what is no part of a schema. Statements keep their places and lines. */
export function schemaPart(sql: string, statements: readonly SqlStatement[]): string {
  let [out, from] = ['', 0];
  for (const { text, start, end } of statements) {
    const line = text.slice(0, 300).replaceAll(/\s+/g, ' ');
    if (!NO_PART.some((pattern) => pattern.test(line))) continue;
    out += sql.slice(from, start) + sql.slice(start, end).replaceAll(/[^\n]/g, ' ');
    from = end;
  }
  return out + sql.slice(from);
}
