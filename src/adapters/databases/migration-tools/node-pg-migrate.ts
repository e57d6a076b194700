import { detected, trimmed, type Detector } from '../detected-migrations.ts';
import { withoutExtension } from './match-history.ts';

export const nodePgMigrate: Detector = async (project) => {
  if (!project.dependencies.has('node-pg-migrate')) return null;
  const commands = Object.values(project.scripts)
    .filter((body) => body.includes('node-pg-migrate'))
    .join('\n');
  const folder = /(?:\s-m|--migrations-dir)[\s=]+["']?([\w./-]+)/.exec(commands)?.[1] ?? 'migrations';
  const files = (await project.list(folder)).filter(
    (name) => /^\d.*\.(?:[cm]?[jt]s|sql)$/.test(name) && !/\.d\.[cm]?ts$|\.down\.sql$/.test(name),
  );
  return detected(
    'node-pg-migrate',
    folder,
    ['pgmigrations'],
    ({ rows }) => {
      const applied = new Set(rows.map((row) => row['name']));
      return files.map((name) => withoutExtension(name.replace(/\.up\.sql$/, '.sql'))).filter((name) => !applied.has(name));
    },
    {
      hasCustomTable: /(?:\s-t|--migrations-table)[\s=]/.test(commands),
      record: {
        files: files.map((name) => {
          const key = withoutExtension(name.replace(/\.up\.sql$/, '.sql'));
          return { name: key, key, path: `${trimmed(folder)}/${name}` };
        }),
        keyOf: (row) => row['name'] ?? null,
        nameOf: (row) => row['name'] ?? '',
      },
    },
  );
};
