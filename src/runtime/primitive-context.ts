import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
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
  // Links are followed as far as the path exists; what does not exist yet cannot lead anywhere else.
  let existing = dirname(absolute);
  while ((await files.stat(existing)) === null && existing !== dirname(existing)) existing = dirname(existing);
  const real = (await files.realpath(existing)) ?? existing;
  for (const root of [component.cwd, ...component.roots, ...component.envFiles.map((f) => dirname(f))]) {
    const realRoot = (await files.realpath(root)) ?? root;
    const isInside = absolute === root || absolute.startsWith(root + sep) || absolute.startsWith(realRoot + sep);
    if (isInside && (real === realRoot || real.startsWith(realRoot + sep))) return absolute;
  }
  throw new PrimitiveMisuse('confine', `${absolute} is outside the directories of ${component.name}`, { path: absolute });
}
