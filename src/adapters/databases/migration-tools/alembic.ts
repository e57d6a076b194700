import { detected, FILES_READ_LIMIT, trimmed, type Detector } from '../detected-migrations.ts';

export const alembic: Detector = async (project) => {
  if (!project.names.has('alembic.ini')) return null;
  const location = /^\s*script_location\s*=\s*(.+?)\s*$/m.exec(await project.read('alembic.ini'))?.[1] ?? 'alembic';
  const folder = `${trimmed(location.replace(/^%\(here\)s\/?/, ''))}/versions`;
  const revisions: (Revision & { readonly path: string })[] = [];
  for (const name of (await project.list(folder)).filter((candidate) => candidate.endsWith('.py')).slice(0, FILES_READ_LIMIT)) {
    const text = await project.read(`${folder}/${name}`);
    const id = /^revision\s*(?::[^=\n]+)?=\s*['"]([^'"]+)['"]/m.exec(text)?.[1];
    const parents = /^down_revision\s*(?::[^=\n]+)?=\s*(\([^)]*\)|[^\n]+)/m.exec(text)?.[1] ?? '';
    if (id !== undefined)
      revisions.push({ id, path: `${folder}/${name}`, parents: [...parents.matchAll(/['"]([^'"]+)['"]/g)].map(([, parent]) => parent!) });
  }
  return detected(
    'alembic',
    folder,
    ['alembic_version'],
    ({ rows }) => {
      const byId = new Map(revisions.map((revision) => [revision.id, revision]));
      const applied = new Set<string>();
      const queue = rows.flatMap((row) => row['version_num'] ?? []);
      // A revision that the folder does not know is ahead of this release: then we cannot say what is below it.
      if (queue.some((id) => !byId.has(id))) return [];
      for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
        if (applied.has(id)) continue;
        applied.add(id);
        queue.push(...(byId.get(id)?.parents ?? []));
      }
      return parentsFirst(revisions).filter((id) => !applied.has(id));
    },
    {
      record: {
        files: revisions.map(({ id, path }) => ({ name: id, key: id, path })),
        keyOf: (row) => row['version_num'] ?? null,
        nameOf: (row) => row['version_num'] ?? '',
      },
    },
  );
};

interface Revision {
  readonly id: string;
  readonly parents: readonly string[];
}

function parentsFirst(revisions: readonly Revision[]): readonly string[] {
  const known = new Set(revisions.map(({ id }) => id));
  const placed = new Set<string>();
  let left = revisions;
  while (left.length > 0) {
    const ready = left.filter(({ parents }) => parents.every((parent) => placed.has(parent) || !known.has(parent)));
    if (ready.length === 0) break; // a cycle: Alembic itself will refuse it
    for (const { id } of ready) placed.add(id);
    left = left.filter(({ id }) => !placed.has(id));
  }
  return [...placed];
}
