import { sha256Hex } from '../../../kernel/index.ts';
import { detected, trimmed, type Detector } from '../detected-migrations.ts';
import { stringAfter } from './config-text.ts';
import { sameButForLineEndings } from './match-history.ts';

export const prisma: Detector = async (project) => {
  const config = await project.read(project.find(/^prisma\.config\.[cm]?[jt]s$/) ?? 'prisma.config.ts');
  const folder = stringAfter(config, /migrations\s*:\s*\{[^}]{0,300}?path\s*:/) ?? 'prisma/migrations';
  const names = await project.list(folder);
  if (
    config === '' &&
    !(await project.list('prisma')).some((name) => name.endsWith('.prisma') || name === 'schema' || name === 'migrations')
  )
    return null;
  const migrations = names.filter((name) => /^\d/.test(name) && !name.includes('.'));
  return detected(
    'prisma',
    folder,
    ['_prisma_migrations'],
    ({ rows }) => {
      const applied = new Set(
        rows.filter((row) => row['finished_at'] != null && row['rolled_back_at'] == null).map((row) => row['migration_name']),
      );
      return migrations.filter((name) => !applied.has(name));
    },
    {
      record: {
        files: migrations.map((name) => ({ name, key: name, path: `${trimmed(folder)}/${name}/migration.sql` })),
        keyOf: (row) => (row['rolled_back_at'] == null ? (row['migration_name'] ?? null) : null),
        nameOf: (row) => row['migration_name'] ?? '',
        failureOf: (row) => (row['finished_at'] == null && row['rolled_back_at'] == null ? 'it was begun and never finished' : null),
        checksumOf: (row) => row['checksum'] ?? null,
        // Prisma takes a file for the same when only its line endings were changed, as Git does.
        checksumsFor: (text) => sameButForLineEndings(text).map((bytes) => sha256Hex(bytes)),
      },
    },
  );
};
