import { dirname } from 'node:path';
import type { CheckContext } from '../../domains/preflight/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';

export interface ServiceDir {
  readonly path: string;
  readonly component: string;
  readonly use: 'project' | 'data' | 'database' | 'log' | 'temporary';
}

const SQLITE = /^(?:sqlite:|file:)(?:\/\/)?(\/[^?]{1,500})/;

/** Where a component writes, as far as anybody has said; each directory once, with its first use. */
export async function dirsOf(spec: ComponentSpec, context: CheckContext): Promise<readonly ServiceDir[]> {
  const env = await context.environmentOf(spec);
  const database = spec.database?.startsWith('$') === true ? env[spec.database.slice(1)] : spec.database;
  const file = database === undefined || database === null ? undefined : database.startsWith('/') ? database : SQLITE.exec(database)?.[1];
  const all: readonly (readonly [ServiceDir['use'], string])[] = [
    ['log', dirname(spec.logFile)],
    ...(file === undefined ? [] : [['database', dirname(file)] as const]),
    ...spec.roots.filter((root) => root !== spec.cwd).map((root) => ['data', root] as const),
    ['temporary', env['TMPDIR'] || '/tmp'],
    ['project', spec.cwd],
  ];
  const seen = new Set<string>();
  return all.flatMap(([use, path]) => {
    if (seen.has(path) || !path.startsWith('/')) return [];
    seen.add(path);
    return [{ path, use, component: spec.name }];
  });
}
