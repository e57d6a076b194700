import { detected, FILES_READ_LIMIT, type Detector } from '../detected-migrations.ts';
import { withoutExtension } from './match-history.ts';

const FOLDERS_LIMIT = 300;

export const django: Detector = async (project) => {
  if (!project.names.has('manage.py')) return null;
  const migrations: { readonly app: string; readonly name: string }[] = [];
  const folders = [...project.names].filter((name) => /^\w+$/.test(name) && !/^(?:node_modules|venv|static|media)$/.test(name));
  const nested = await Promise.all(
    folders
      .slice(0, FOLDERS_LIMIT)
      .map(async (folder) => [
        folder,
        ...(await project.list(folder)).filter((name) => /^\w+$/.test(name)).map((name) => `${folder}/${name}`),
      ]),
  );
  for (const folder of nested.flat().slice(0, FOLDERS_LIMIT)) {
    const app = folder.split('/').at(-1)!;
    for (const file of (await project.list(`${folder}/migrations`)).filter((name) => /^\d{4}_\w+\.py$/.test(name))) {
      // A squashed migration counts as applied when those it replaces are: left to Django to say.
      if (migrations.length < FILES_READ_LIMIT && !/^\s*replaces\s*=/m.test(await project.read(`${folder}/migrations/${file}`)))
        migrations.push({ app, name: withoutExtension(file) });
    }
  }
  return detected('django', '.', ['django_migrations'], ({ rows }) => {
    const applied = new Set(rows.map((row) => `${row['app']}.${row['name']}`));
    return migrations.map(({ app, name }) => `${app}.${name}`).filter((id) => !applied.has(id));
  });
};
