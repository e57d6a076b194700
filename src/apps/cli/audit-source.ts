import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { openExport, type ExportDirectory } from '../../adapters/audit-export/index.ts';
import { openAuditReader } from '../../adapters/store/audit/index.ts';
import { isStoreWritable, openStore, recogniseUnwritable } from '../../adapters/store/index.ts';
import { AuditTextMalformed, parseVerifierKey, type AuditReader, type VerifierKey } from '../../domains/audit/index.ts';
import { auditBeside } from '../../runtime/audit-beside.ts';
import type { Audit } from '../../runtime/audit.ts';
import { codeOf, GraceError, messageOf } from '../../kernel/index.ts';
import { AuditFileUnreadable, AuditKeyUnknown, AuditLogNotHere, AuditLogUnreadable, AuditReadOnly, OptionWrong } from './errors.ts';
import { dataDirOf, type LookOptions } from './memory.ts';
import { err } from './terminal.ts';

/** The log a command is about. */
export interface AuditSource {
  readonly reader: AuditReader;
  /** What it was read from, for people. */
  readonly where: string;
  /** An exported log with its directory; null for the log of a Grace. */
  readonly exported: { readonly dir: string; readonly log: ExportDirectory } | null;
  /** This user may not write the store: what others add while it is read may be missed. */
  readonly isReadOnly: boolean;
  close(): void;
}

export interface AuditSourceOptions extends LookOptions {
  /** An exported log, instead of the one of this Grace. */
  readonly dir?: string;
}

/** @throws AuditLogNotHere, AuditLogUnreadable, AuditExportUnreadable, and as `openStore` */
export async function openAuditSource(options: AuditSourceOptions): Promise<AuditSource> {
  const { dir } = options;
  if (dir === undefined) return storedSource(join(await dataDirOf(options), 'grace.db'));
  const log = await readingFrom(dir, async () => openExport(dir));
  return { reader: log, where: dir, exported: { dir, log }, isReadOnly: false, close: () => undefined };
}

/** The log of the Grace here, whether it runs or not. */
async function storedSource(path: string): Promise<AuditSource> {
  if ((await readingFrom(path, async () => statSync(path, { throwIfNoEntry: false }))) === undefined) throw new AuditLogNotHere(path);
  const isReadOnly = !isStoreWritable(path);
  // Recognised, and brought to this version where that can be, before anything reads it.
  if (isReadOnly) recogniseUnwritable(path);
  else (await openStore(path)).close();
  const reader = openAuditReader(path);
  return { reader, where: path, exported: null, isReadOnly, close: () => reader.close() };
}

/** Opens, asks, closes. */
export async function withAudit<T>(options: AuditSourceOptions, ask: (source: AuditSource) => Promise<T>): Promise<T> {
  const source = await openAuditSource(options);
  if (source.isReadOnly) err(`this user may only read ${source.where}: it is looked at as it lies there`);
  try {
    return await readingFrom(source.where, () => ask(source));
  } finally {
    source.close();
  }
}

/** What a file system says that does not let a file be read. */
const NOT_READ = new Set(['EACCES', 'EPERM', 'EIO', 'ELOOP', 'ENOTDIR']);

/** @throws AuditLogUnreadable instead of what the file system says about reading it */
async function readingFrom<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = codeOf(error);
    if (error instanceof GraceError || code === undefined || !NOT_READ.has(code)) throw error;
    throw new AuditLogUnreadable(where, messageOf(error));
  }
}

/** The log of the Grace here, to do something to it. @throws AuditLogNotHere, AuditReadOnly, and as `openStore` */
export async function withOwnAudit<T>(options: LookOptions, work: (own: OwnAudit) => Promise<T>): Promise<T> {
  const dataDir = await dataDirOf(options);
  const source = await storedSource(join(dataDir, 'grace.db'));
  if (source.isReadOnly) {
    source.close();
    throw new AuditReadOnly(source.where);
  }
  const audit = auditBeside(dataDir, basename(dirname(dataDir)));
  try {
    return await work({ audit, source, dataDir });
  } finally {
    await audit.close();
    source.close();
  }
}

export interface OwnAudit {
  readonly audit: Audit;
  readonly source: AuditSource;
  readonly dataDir: string;
}

/** The key to check with, and whether it came from elsewhere than the log. @throws AuditKeyUnknown, AuditFileUnreadable, OptionWrong */
export async function keyOf(
  reader: AuditReader,
  given: string | undefined,
): Promise<{ readonly key: VerifierKey; readonly isGiven: boolean }> {
  if (given !== undefined) return { key: givenKey(given), isGiven: true };
  const own = (await reader.keys()).at(-1);
  if (own === undefined) throw new AuditKeyUnknown();
  return { key: parseVerifierKey(own), isGiven: false };
}

function givenKey(given: string): VerifierKey {
  try {
    return parseVerifierKey(given.includes('+') ? given : readText(given).trim());
  } catch (error) {
    if (!(error instanceof AuditTextMalformed)) throw error;
    throw new OptionWrong('--vkey', error.message, 'give the key as grace audit keys writes it, or a file with it');
  }
}

/** Keys and proofs are a few hundred bytes; a file of anchors grows by as much a day, a report may have a hundred kilobytes. */
const TEXT_BYTES_MAX = 8 * 1024 * 1024;

export function readText(path: string): string {
  try {
    if (statSync(path).size > TEXT_BYTES_MAX) throw new AuditFileUnreadable(path, 'it is far too large');
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof AuditFileUnreadable) throw error;
    throw new AuditFileUnreadable(path, codeOf(error) ?? 'it can not be read');
  }
}
