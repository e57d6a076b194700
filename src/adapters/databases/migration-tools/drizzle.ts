import { sha256Hex } from '../../../kernel/index.ts';
import { detected, trimmed, type Detector } from '../detected-migrations.ts';
import { stringAfter } from './config-text.ts';
import { sameButForLineEndings } from './match-history.ts';

export const drizzle: Detector = async (project) => {
  const file = project.find(/^drizzle\.config\.(?:[cm]?[jt]s|json)$/);
  if (file === null) return null;
  const config = await project.read(file);
  const folder = stringAfter(config, /["']?\bout["']?\s*:/) ?? 'drizzle';
  const entries = journalEntries(await project.read(`${trimmed(folder)}/meta/_journal.json`));
  return detected(
    'drizzle',
    folder,
    ['__drizzle_migrations'],
    ({ rows }) => {
      // Drizzle applies what is newer than the newest it has recorded, and never what is missing in between.
      const latest = Math.max(...rows.map((row) => Number(row['created_at'] ?? Number.NEGATIVE_INFINITY)), Number.NEGATIVE_INFINITY);
      return entries.filter(({ when }) => when > latest).map(({ tag }) => tag);
    },
    {
      hasCustomTable: /["']?\btable["']?\s*:/.test(config),
      record: {
        files: entries.map(({ tag, when }) => ({ name: tag, key: String(when), path: `${trimmed(folder)}/${tag}.sql` })),
        keyOf: (row) => row['created_at'] ?? null,
        nameOf: (row) => `the one of ${stampOf(row['created_at'])}`,
        checksumOf: (row) => row['hash'] ?? null,
        checksumsFor: (text) => sameButForLineEndings(text).map((bytes) => sha256Hex(bytes)),
      },
    },
  );
};

function journalEntries(text: string): readonly { readonly tag: string; readonly when: number }[] {
  try {
    const entries = (JSON.parse(text) as { entries?: unknown }).entries;
    return Array.isArray(entries)
      ? entries.filter((entry): entry is { tag: string; when: number } => typeof entry?.tag === 'string' && typeof entry?.when === 'number')
      : [];
  } catch {
    return []; // no journal, or a damaged one: then the folder tells nothing
  }
}

function stampOf(milliseconds: string | null | undefined): string {
  const date = new Date(Number(milliseconds));
  return Number.isNaN(date.getTime()) ? 'an unknown time' : date.toISOString();
}
