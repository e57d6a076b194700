import { detected, type Detector } from '../detected-migrations.ts';
import { stringAfter } from './config-text.ts';
import { SCRIPT_FILE, firstFolder } from './find-folder.ts';
import { byName, without } from './match-history.ts';

export const sequelize: Detector = async (project) => {
  if (!project.names.has('.sequelizerc') && !project.dependencies.has('sequelize-cli') && !project.dependencies.has('umzug')) return null;
  const config = await project.read('.sequelizerc');
  const joined = /['"]migrations-path['"]\s*:\s*path\.(?:resolve|join)\(([^)]{0,300})\)/.exec(config)?.[1];
  const folder =
    joined === undefined
      ? (stringAfter(config, /['"]migrations-path['"]\s*:/) ?? (await firstFolder(project, SCRIPT_FILE)) ?? 'migrations')
      : [...joined.matchAll(/['"]([^'"]+)['"]/g)].map(([, part]) => part).join('/');
  const files = (await project.list(folder)).filter((name) => SCRIPT_FILE.test(name) && !/\.d\.[cm]?ts$/.test(name));
  return detected('sequelize', folder, ['sequelizemeta'], without(files, 'name'), {
    hasCustomTable: /migrationStorageTableName/.test(config + (await project.read('config/config.json'))),
    record: byName(folder, files, 'name'),
  });
};
