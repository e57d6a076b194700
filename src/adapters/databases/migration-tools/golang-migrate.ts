import { detected, type Detector } from '../detected-migrations.ts';
import { COMMON_FOLDERS, firstOf } from './find-folder.ts';

export const golangMigrate: Detector = async (project) => {
  const folder = await firstOf(COMMON_FOLDERS, async (path) => (await project.list(path)).some((name) => /^\d+_.+\.up\.sql$/.test(name)));
  if (folder === null) return null;
  const files = (await project.list(folder)).filter((name) => /^\d+_.+\.up\.sql$/.test(name));
  return detected(
    'golang-migrate',
    folder,
    ['schema_migrations'],
    ({ rows }) => {
      const current = rows[0]?.['version'];
      return files.filter((name) => current == null || BigInt(/^\d+/.exec(name)![0]) > BigInt(current));
    },
    { isOwn: (row) => row === null || 'dirty' in row },
  );
};
