import { detected, type Detector } from '../detected-migrations.ts';
import { stringAfter } from './config-text.ts';
import { SCRIPT_FILE, firstFolder } from './find-folder.ts';
import { byName, without } from './match-history.ts';

export const knex: Detector = async (project) => {
  const file = project.find(/^knexfile\.[cm]?[jt]s$/);
  if (file === null && !project.dependencies.has('knex')) return null;
  const config = file === null ? '' : await project.read(file);
  const folder =
    stringAfter(config, /migrations\s*:\s*\{[^}]{0,500}?directory\s*:/) ?? (await firstFolder(project, SCRIPT_FILE)) ?? 'migrations';
  const files = (await project.list(folder)).filter((name) => SCRIPT_FILE.test(name) && !/\.d\.[cm]?ts$/.test(name));
  if (file === null && files.length === 0) return null;
  return detected('knex', folder, ['knex_migrations'], without(files, 'name'), {
    hasCustomTable: /\btableName\s*:/.test(config),
    record: byName(folder, files, 'name'),
  });
};
