import { detected, type Detector } from '../detected-migrations.ts';
import { firstFolder } from './find-folder.ts';
import { withoutExtension } from './match-history.ts';

export const typeorm: Detector = async (project) => {
  if (!project.dependencies.has('typeorm')) return null;
  let source: string | null = null;
  for (const folder of ['.', 'src', 'dist', 'src/db', 'src/database', 'dist/db', 'dist/database']) {
    const name = (await project.list(folder)).find((candidate) => /^(?:data-source|datasource|ormconfig)\.[cm]?js$/i.test(candidate));
    source ??= name === undefined ? null : folder === '.' ? name : `${folder}/${name}`;
  }
  const folder = (await firstFolder(project, /^\d+-.+\.[cm]?[jt]s$/)) ?? 'migrations';
  const files = (await project.list(folder)).filter((name) => /^\d+-.+\.[cm]?[jt]s$/.test(name) && !/\.d\.[cm]?ts$/.test(name));
  return detected(
    'typeorm',
    folder,
    ['migrations'],
    ({ rows }) => {
      const stamps = new Set(rows.map((row) => row['timestamp']));
      return files.filter((name) => !stamps.has(/^\d+/.exec(name)![0])).map(withoutExtension);
    },
    {
      argument: source,
      isOwn: (row) => row === null || 'timestamp' in row,
      record: {
        files: files.map((name) => ({ name: withoutExtension(name), key: /^\d+/.exec(name)![0], path: `${folder}/${name}` })),
        keyOf: (row) => row['timestamp'] ?? null,
        nameOf: (row) => row['name'] ?? '',
      },
    },
  );
};
