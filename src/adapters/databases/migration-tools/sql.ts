import { detected, type Detector } from '../detected-migrations.ts';
import type { Project } from '../project-files.ts';
import { COMMON_FOLDERS, firstOf } from './find-folder.ts';
import { withoutExtension } from './match-history.ts';

/** Numbered SQL files and a table of names: what small services write for themselves. */
export const sql: Detector = async (project) => {
  const isMigration = (name: string) => /^\d+.*\.sql$/.test(name) && !/(?:\.down|\.rollback|\.undo)\.sql$/i.test(name);
  const folder = await firstOf(COMMON_FOLDERS, async (path) => (await project.list(path)).some(isMigration));
  if (folder === null) return null;
  const files = (await project.list(folder)).filter(isMigration);
  return detected(
    'sql',
    folder,
    ['schema_migrations', 'migrations'],
    ({ rows }) => {
      const applied = new Set(
        rows.flatMap((row) => row['name'] ?? row['filename'] ?? row['version'] ?? []).map((id) => withoutExtension(id.split('/').at(-1)!)),
      );
      const numbers = new Set([...applied].filter((id) => /^\d+$/.test(id)).map((id) => BigInt(id)));
      return files.map(withoutExtension).filter((name) => !applied.has(name) && !numbers.has(BigInt(/^\d+/.exec(name)![0])));
    },
    // Who keeps the record, and where, only the project knows: without a table we recognise, nothing is said.
    { hasCustomTable: !/schema_migrations/.test(await scriptTexts(project)) },
  );
};

async function scriptTexts(project: Project): Promise<string> {
  const candidates = (await project.list('.')).filter((name) => /^(?:db-?)?migrat\w*\.[cm]?[jt]s$/.test(name));
  return (await Promise.all(candidates.slice(0, 10).map((name) => project.read(name)))).join('\n');
}
