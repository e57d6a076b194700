import { detected, type Detector } from '../detected-migrations.ts';
import { byVersion, isVersioned, withoutExtension } from './match-history.ts';

export const rails: Detector = async (project) => {
  const files = (await project.list('db/migrate')).filter((name) => /^\d+_\w+\.rb$/.test(name));
  if (files.length === 0) return null;
  return detected(
    'rails',
    'db/migrate',
    ['schema_migrations'],
    byVersion(files, (row) => row['version'] ?? null),
    {
      isOwn: isVersioned,
      record: {
        files: files.map((name) => ({ name: withoutExtension(name), key: /^\d+/.exec(name)![0], path: `db/migrate/${name}` })),
        keyOf: (row) => row['version'] ?? null,
        nameOf: (row) => row['version'] ?? '',
      },
    },
  );
};
