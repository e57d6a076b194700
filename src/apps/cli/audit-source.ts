import { readFileSync, statSync } from 'node:fs';
import { openExport, type ExportDirectory } from '../../adapters/audit-export/index.ts';
import { parseVerifierKey, type AuditReader, type VerifierKey } from '../../domains/audit/index.ts';
import { codeOf } from '../../kernel/index.ts';
import { AuditFileUnreadable, AuditKeyUnknown, AuditLogNotHere } from './errors.ts';

/** The log a command is about. */
export interface AuditSource {
  readonly reader: AuditReader;
  /** What it was read from, for people. */
  readonly where: string;
  /** An exported log with its directory; null for the log of a Grace. */
  readonly exported: { readonly dir: string; readonly log: ExportDirectory } | null;
  close(): void;
}

export interface AuditSourceOptions {
  /** An exported log, instead of the one of this Grace. */
  readonly dir?: string;
}

/** @throws AuditLogNotHere, AuditExportUnreadable */
export async function openAuditSource({ dir }: AuditSourceOptions): Promise<AuditSource> {
  if (dir === undefined) throw new AuditLogNotHere();
  const log = await openExport(dir);
  return { reader: log, where: dir, exported: { dir, log }, close: () => undefined };
}

/** Opens, asks, closes. */
export async function withAudit<T>(options: AuditSourceOptions, ask: (source: AuditSource) => Promise<T>): Promise<T> {
  const source = await openAuditSource(options);
  try {
    return await ask(source);
  } finally {
    source.close();
  }
}

/** The key to check with, and whether it came from elsewhere than the log. */
export async function keyOf(
  reader: AuditReader,
  given: string | undefined,
): Promise<{ readonly key: VerifierKey; readonly isGiven: boolean }> {
  if (given !== undefined) return { key: parseVerifierKey(given.includes('+') ? given : readText(given).trim()), isGiven: true };
  const own = (await reader.keys()).at(-1);
  if (own === undefined) throw new AuditKeyUnknown();
  return { key: parseVerifierKey(own), isGiven: false };
}

/** Checkpoints, keys and proofs are a few hundred bytes. */
const TEXT_BYTES_MAX = 1024 * 1024;

export function readText(path: string): string {
  try {
    if (statSync(path).size > TEXT_BYTES_MAX) throw new AuditFileUnreadable(path, 'it is far too large');
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof AuditFileUnreadable) throw error;
    throw new AuditFileUnreadable(path, codeOf(error) ?? 'it can not be read');
  }
}
