import { near, rule, type Draft, type Place, type Reader } from './rule.ts';

const engine = { engine: 'sqlite' } as const;

/** SQLite's messages do not name the file; the statement that opened it is often shown beside the error. */
const DATABASE_FILE = /["'`]([^"'`]{1,300}\.(?:db|db3|sqlite|sqlite3))["'`]/;

function ofFile(place: Place, draft: Draft): Draft {
  const subject = DATABASE_FILE.exec(place.lines[place.at]?.text ?? '')?.[1] ?? near(place, 6, DATABASE_FILE)?.[1];
  return { ...draft, subject: subject ?? '', details: { ...engine, ...draft.details } };
}

/** What SQLite says, in every language it is embedded in. */
export const sqlite: Reader = {
  runtime: 'sqlite',
  rules: [
    rule(
      ['database is locked', 'database table is locked', 'database schema is locked', 'SQLITE_BUSY', 'SQLITE_LOCKED'],
      /database (?:table |schema )?is locked|SQLITE_(?:BUSY|LOCKED)/,
      ([text], place) =>
        ofFile(place, {
          kind: 'database_locked',
          code: text.includes('table') || text.includes('LOCKED') ? 'SQLITE_LOCKED' : 'SQLITE_BUSY',
        }),
    ),
    rule(['database disk image is malformed', 'SQLITE_CORRUPT'], /database disk image is malformed|SQLITE_CORRUPT/, (_, place) =>
      ofFile(place, { kind: 'data_corrupt', code: 'SQLITE_CORRUPT' }),
    ),
    rule(
      ['file is not a database', 'file is encrypted or is not a database', 'SQLITE_NOTADB'],
      /file is (?:encrypted or is )?not a database|SQLITE_NOTADB/,
      (_, place) => ofFile(place, { kind: 'data_corrupt', code: 'SQLITE_NOTADB' }),
    ),
    rule(
      ['unable to open database file', 'SQLITE_CANTOPEN', 'directory does not exist'],
      /unable to open database file|SQLITE_CANTOPEN|Cannot open database because the directory does not exist/,
      (_, place) => ofFile(place, { kind: 'path_missing', code: 'SQLITE_CANTOPEN' }),
    ),
    rule(['attempt to write a readonly database', 'SQLITE_READONLY'], /attempt to write a readonly database|SQLITE_READONLY/, (_, place) =>
      ofFile(place, { kind: 'read_only_file_system', code: 'SQLITE_READONLY' }),
    ),
    rule(['database or disk is full', 'SQLITE_FULL'], /database or disk is full|SQLITE_FULL/, (_, place) =>
      ofFile(place, { kind: 'disk_full', code: 'SQLITE_FULL' }),
    ),
    rule(
      ['no such table: ', 'no such column: ', 'no such function: ', 'no such index: '],
      /no such (table|column|function|index): ["'`]?([\w.$-]{1,128})/,
      ([, object = '', name = '']) => ({ kind: 'relation_missing', subject: name, code: 'SQLITE_ERROR', details: { object, ...engine } }),
    ),
    rule(
      ['has no column named '],
      /table ["'`]?([\w.$-]{1,128})["'`]? has no column named ["'`]?([\w.$-]{1,128})/,
      ([, table = '', column = '']) => ({
        kind: 'relation_missing',
        subject: column,
        code: 'SQLITE_ERROR',
        details: { object: 'column', table, ...engine },
      }),
    ),
    rule(['duplicate column name: '], /duplicate column name: ["'`]?([\w.$-]{1,128})/, ([, column = '']) => ({
      kind: 'relation_exists',
      subject: column,
      code: 'SQLITE_ERROR',
      details: { object: 'column', ...engine },
    })),
    rule([' already exists'], /\b(table|index|view|trigger) ["'`]?([\w.$-]{1,128})["'`]? already exists/, ([, object = '', name = '']) => ({
      kind: 'relation_exists',
      subject: name,
      code: 'SQLITE_ERROR',
      details: { object, ...engine },
    })),
  ],
};
