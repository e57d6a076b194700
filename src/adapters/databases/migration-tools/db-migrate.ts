import { detected, type Detector } from '../detected-migrations.ts';
import { without } from './match-history.ts';

export const dbMigrate: Detector = async (project) => {
  if (!project.dependencies.has('db-migrate')) return null;
  const folder = 'migrations';
  const files = (await project.list(folder)).filter((name) => /^\d.*\.[cm]?[jt]s$/.test(name));
  const config = await project.read('.db-migraterc');
  return detected('db-migrate', folder, ['migrations'], without(files, 'name'), {
    hasCustomTable: /"(?:table|migration-table)"/.test(config),
    isOwn: (row) => row === null || 'run_on' in row,
  });
};
