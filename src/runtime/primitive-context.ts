import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { ComponentSpec } from '../domains/supervisor/index.ts';
import { PrimitiveMisuse, type PrimitiveContext } from '../domains/playbooks/index.ts';
import type { Redactor } from '../domains/incidents/index.ts';
import type { Files, Spawner } from '../kernel/index.ts';

export type PrimitiveParts = Omit<PrimitiveContext, 'component' | 'signal' | 'backupDir' | 'env' | 'run' | 'progress' | 'confine'> & {
  readonly spawner: Spawner;
  readonly redactor: Redactor;
  readonly dataDir: string;
  environmentOf(spec: ComponentSpec): Promise<Readonly<Record<string, string>>>;
};

/** What a primitive may use for one component: everything is bound to its directories and its environment. */
export function primitiveContext(
  parts: PrimitiveParts,
  component: ComponentSpec,
  signal: AbortSignal,
  progress: (text: string) => void,
): PrimitiveContext {
  const { spawner, redactor, dataDir, environmentOf, ...shared } = parts;
  return {
    ...shared,
    component,
    signal,
    progress,
    backupDir: join(dataDir, 'storage', 'aside'),
    env: () => environmentOf(component),
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
    confine: (path) => confine(path, component, shared.files),
  };
}

/**
 * The absolute path, when it lies below one of the component's roots, symbolic links followed.
 * @throws PrimitiveMisuse otherwise
 */
async function confine(path: string, component: ComponentSpec, files: Files): Promise<string> {
  const absolute = isAbsolute(path) ? resolve(path) : resolve(component.cwd, path);
  const real = await realPathOf(absolute, files);
  for (const root of [component.cwd, ...component.roots, ...component.envFiles.map((f) => dirname(f))]) {
    const realRoot = await realPathOf(root, files);
    if (real === realRoot || real.startsWith(realRoot + sep)) return absolute;
  }
  throw new PrimitiveMisuse('confine', `${absolute} is outside the directories of ${component.name}`, { path: absolute });
}

/** Links of the directories on the way are followed, a link at the end is not: it is what would be changed. */
async function realPathOf(path: string, files: Files): Promise<string> {
  let existing = dirname(path);
  while ((await files.stat(existing)) === null && existing !== dirname(existing)) existing = dirname(existing);
  return join((await files.realpath(existing)) ?? existing, relative(existing, path));
}
