import { detected, type Detector } from '../detected-migrations.ts';
import { sqlFolder } from './find-folder.ts';
import { byVersion, isVersioned } from './match-history.ts';

export const dbmate: Detector = async (project) => {
  const folder = await sqlFolder(project, /^--\s*migrate:up/m);
  if (folder === null) return null;
  const files = (await project.list(folder)).filter((name) => /^\d+.*\.sql$/.test(name));
  return detected(
    'dbmate',
    folder,
    ['schema_migrations'],
    byVersion(files, (row) => row['version'] ?? null),
    { isOwn: isVersioned },
  );
};
