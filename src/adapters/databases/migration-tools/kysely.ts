import { detected, type Detector } from '../detected-migrations.ts';
import { stringAfter } from './config-text.ts';
import { SCRIPT_FILE, firstFolder } from './find-folder.ts';
import { byName, without } from './match-history.ts';

export const kysely: Detector = async (project) => {
  const file =
    project.find(/^kysely\.config\.[cm]?[jt]s$/) ??
    ((await project.list('.config')).find((name) => /^kysely\.config\.[cm]?[jt]s$/.test(name)) ? '.config/kysely.config.ts' : null);
  if (file === null && !project.dependencies.has('kysely')) return null;
  const config = file === null ? '' : await project.read(file);
  const folder = stringAfter(config, /migrationFolder\s*:/) ?? (await firstFolder(project, SCRIPT_FILE)) ?? 'migrations';
  const files = (await project.list(folder)).filter((name) => SCRIPT_FILE.test(name) && !/\.d\.[cm]?ts$/.test(name));
  if (file === null && files.length === 0) return null;
  return detected('kysely', folder, ['kysely_migration'], without(files, 'name'), {
    hasCustomTable: /migrationTableName\s*:/.test(config),
    record: byName(folder, files, 'name'),
  });
};
