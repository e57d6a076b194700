import { trimmed, type Cells, type DetectedMigrations, type MigrationRecord } from '../detected-migrations.ts';

/** A row for each file, under its name; whether it is built or a source does not count. */
export function byName(folder: string, files: readonly string[], column: string): MigrationRecord {
  const bare = (name: string) => withoutExtension(name.split('/').at(-1)!);
  return {
    files: files.map((name) => ({ name: withoutExtension(name), key: bare(name), path: `${trimmed(folder)}/${name}` })),
    keyOf: (row) => (row[column] == null ? null : bare(row[column])),
    nameOf: (row) => bare(row[column] ?? ''),
  };
}

/** Files whose name is not in a column; built files have another extension than their source, and some tools add a `/`. */
export function without(files: readonly string[], column: string): DetectedMigrations['pending'] {
  return ({ rows }) => {
    const applied = new Set(rows.flatMap((row) => row[column] ?? []).map((name) => withoutExtension(name.split('/').at(-1)!)));
    return files.map(withoutExtension).filter((name) => !applied.has(name));
  };
}

/** Files whose leading number is not among the versions. */
export function byVersion(files: readonly string[], versionOf: (row: Cells) => string | null): DetectedMigrations['pending'] {
  return ({ rows }) => {
    const applied = new Set(rows.map(versionOf));
    return files.filter((name) => !applied.has(/^\d+/.exec(name)![0])).map(withoutExtension);
  };
}

/** A row of `schema_migrations` as Rails and dbmate write it; golang-migrate has `dirty` in its own. */
export function isVersioned(row: Cells | null): boolean {
  return row === null || ('version' in row && !('dirty' in row));
}

/** As the databases write a truth. */
export function isTrue(text: string | null | undefined): boolean {
  return text === 'true' || text === 't' || text === '1';
}

/** The name by which a source and what was built of it are the same. */
export function withoutExtension(name: string): string {
  return name.replace(/\.(?:[cm]?[jt]s|coffee|sql|py|rb)$/, '');
}

/** The text as it is, and with either kind of line ending. */
export function sameButForLineEndings(text: Buffer): readonly Buffer[] {
  const unix = text.toString('latin1').replaceAll('\r\n', '\n');
  return [text, Buffer.from(unix, 'latin1'), Buffer.from(unix.replaceAll('\n', '\r\n'), 'latin1')];
}
