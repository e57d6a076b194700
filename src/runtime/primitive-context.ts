import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { anchoredFiles } from '../adapters/node/anchored-files.ts';
import type { ComponentSpec } from '../domains/supervisor/index.ts';
import { PrimitiveMisuse, type PrimitiveContext } from '../domains/playbooks/index.ts';
import type { IncidentStore, Redactor } from '../domains/incidents/index.ts';
import type { Files, Spawner } from '../kernel/index.ts';
import { recentFailures } from './recent-failures.ts';

export type PrimitiveParts = Omit<
  PrimitiveContext,
  'component' | 'signal' | 'backupDir' | 'env' | 'portNamedBy' | 'recentFailures' | 'run' | 'redact' | 'progress' | 'confine'
> & {
  readonly spawner: Spawner;
  readonly redactor: Redactor;
  readonly dataDir: string;
  environmentOf(spec: ComponentSpec): Promise<Readonly<Record<string, string>>>;
  portNamedBy(component: string, port: number, variable: string): Promise<readonly string[]>;
  readonly incidents: Pick<IncidentStore, 'occurrences' | 'pattern'>;
};

/** What a primitive may use for one component: everything is bound to its directories and its environment. */
export function primitiveContext(
  parts: PrimitiveParts,
  component: ComponentSpec,
  signal: AbortSignal,
  progress: (text: string) => void,
): PrimitiveContext {
  const { spawner, redactor, dataDir, environmentOf, portNamedBy, incidents, ...shared } = parts;
  const backupDir = join(dataDir, 'storage', 'aside');
  return {
    ...shared,
    // Confined when it was planned, and once more when it is changed: Grace may be allowed more than who owns these folders.
    files: anchoredFiles(shared.files, async (real) => {
      for (const own of [dataDir, backupDir]) if (real.startsWith((await followed(own, shared.files)) + sep)) return;
      await confine(real, component, shared.files);
    }),
    component,
    signal,
    progress,
    backupDir,
    env: () => environmentOf(component),
    portNamedBy: (port, variable) => portNamedBy(component.name, port, variable),
    recentFailures: (sinceMs) => recentFailures(component.name, sinceMs, incidents),
    async run(argv, options) {
      const result = await spawner.run(argv, {
        cwd: options.cwd ?? component.cwd,
        env: { ...(await environmentOf(component)), ...options.env },
        timeoutMs: options.timeoutMs,
        signal,
        ...(options.input === undefined ? {} : { input: options.input }),
      });
      return { ...result, stdout: redactor.redact(result.stdout), stderr: redactor.redact(result.stderr) };
    },
    redact: (text) => redactor.redact(text),
    confine: (path) => confine(path, component, shared.files),
  };
}

/**
 * The absolute path, when it lies below one of the component's roots, symbolic links followed.
 * @throws PrimitiveMisuse otherwise
 */
export async function confine(path: string, component: ComponentSpec, files: Files): Promise<string> {
  const absolute = isAbsolute(path) ? resolve(path) : resolve(component.cwd, path);
  const real = await realPathOf(absolute, files);
  for (const root of [component.cwd, ...component.roots, ...component.envFiles.map((f) => dirname(f))]) {
    // A root may itself be reached by a link, as the current one of several releases is.
    const realRoot = await followed(root, files);
    if (absolute === root || real === realRoot || real.startsWith(realRoot + sep)) return absolute;
  }
  throw new PrimitiveMisuse('confine', `${absolute} is outside the directories of ${component.name}`, { path: absolute });
}

/** Links of the directories on the way are followed, a link at the end is not: it is what would be changed. */
async function realPathOf(path: string, files: Files): Promise<string> {
  return join(await followed(dirname(path), files), basename(path));
}

/** More links than any system follows. */
const LINKS_MAX = 40;

/** Where a path leads, also when nothing is there yet: what is written behind a link to nothing would appear at its target. */
async function followed(path: string, files: Files, links = 0): Promise<string> {
  if (links > LINKS_MAX) throw new PrimitiveMisuse('confine', `${path} is a link that leads nowhere`, { path });
  const real = await files.realpath(path);
  if (real !== null || path === dirname(path)) return real ?? path;
  const stat = await files.stat(path);
  const target = stat?.kind === 'symlink' ? await files.readLink(path) : null;
  if (target !== null) return followed(resolve(await followed(dirname(path), files, links), target), files, links + 1);
  return join(await followed(dirname(path), files, links), basename(path));
}
