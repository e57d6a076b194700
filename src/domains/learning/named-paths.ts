import { dirname, resolve } from 'node:path';
import type { Files } from '../../kernel/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';

/** Bigger files are data, not settings. */
export const CONTENT_BYTES_MAX = 512 * 1024;
/** What code names is looked for by whoever runs it. */
export const CODE = /\.(?:[cm]?[jt]sx?|py|rb|ru|php|sh)$/i;

/** Where the words of the start command lead: `--config=x` names x. */
export function pathsOfCommand(spec: ComponentSpec): ReadonlySet<string> {
  const words = spec.command
    .flatMap((word) => word.split(/[\s;'"]+/))
    .map((word) => word.slice(word.startsWith('-') ? word.indexOf('=') + 1 : 0))
    .filter((word) => word !== '' && !word.startsWith('-'));
  return new Set(words.map((word) => resolve(spec.cwd, word)));
}

/** What the words of the start command name, and the paths in the configuration files among them. */
export async function namedBy(spec: ComponentSpec, files: Files): Promise<ReadonlySet<string>> {
  const inCommand = pathsOfCommand(spec);
  const named = new Set(inCommand);
  for (const path of inCommand) {
    const stat = path.startsWith(`${spec.cwd}/`) && !CODE.test(path) ? await files.stat(path) : null;
    if (stat?.kind !== 'file' || stat.sizeBytes > CONTENT_BYTES_MAX) continue;
    for (const at of pathsIn((await files.readText(path, CONTENT_BYTES_MAX)) ?? '', spec, path)) named.add(at);
  }
  return named;
}

/** Paths that a configuration names; relative ones count from the working directory and from its own. */
export function pathsIn(text: string, spec: ComponentSpec, config: string): readonly string[] {
  return [...text.matchAll(/^[^#;\n]{0,200}?[\s:='"](\.{0,2}\/[\w@.+\-/]{1,300})/gm)].flatMap((match) =>
    [spec.cwd, dirname(config)].map((base) => resolve(base, match[1] ?? '')),
  );
}
