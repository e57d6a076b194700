import { detected, type Detector } from '../detected-migrations.ts';
import { sqlFolder } from './find-folder.ts';
import { isTrue } from './match-history.ts';

export const goose: Detector = async (project) => {
  const folder = await sqlFolder(project, /^--\s*\+goose\s+Up/m);
  if (folder === null) return null;
  const files = (await project.list(folder)).filter((name) => /^\d+_.+\.(?:sql|go)$/.test(name) && !name.endsWith('_test.go'));
  return detected('goose', folder, ['goose_db_version'], ({ rows }) => {
    const state = new Map(
      rows.toSorted((a, b) => Number(a['id']) - Number(b['id'])).map((row) => [row['version_id'], isTrue(row['is_applied'])]),
    );
    return files.filter((name) => state.get(String(BigInt(/^\d+/.exec(name)![0]))) !== true);
  });
};
