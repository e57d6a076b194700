import { parseEnv } from 'node:util';
import { delimiter } from 'node:path';
import type { ComponentOverrides } from '../domains/playbooks/index.ts';
import type { ComponentSpec, Launch } from '../domains/supervisor/index.ts';
import { sha256Hex, type Files } from '../kernel/index.ts';

const HEAP_OPTION = /--max[-_]old[-_]space[-_]size[= ](\d+)/;
/** What npm adds to the environment of its scripts: the service is started by a person, not by npm. */
const NPM_OWN =
  /^(?:npm_(?:lifecycle|package|command|execpath|node_execpath|config_(?:node_gyp|globalconfig|userconfig|init_module|local_prefix|global_prefix|prefix|npm_version|user_agent|cache|noproxy|allow_scripts))|INIT_CWD$|NODE$)/;

/** The environment of the person who started Grace, without what npm put in between. */
export function callerEnvironment(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const isUnderNpm = env['npm_lifecycle_event'] !== undefined || env['npm_execpath'] !== undefined;
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || (isUnderNpm && NPM_OWN.test(name))) continue;
    out[name] = name === 'PATH' && isUnderNpm ? withoutNpmPaths(value) : value;
  }
  return out;
}

function withoutNpmPaths(path: string): string {
  return path
    .split(delimiter)
    .filter((dir) => !/[/\\]node_modules[/\\]\.bin$|node-gyp-bin$/.test(dir))
    .join(delimiter);
}

/** How a component is started this time. */
export async function buildLaunch(
  spec: ComponentSpec,
  caller: Readonly<Record<string, string>>,
  overrides: ComponentOverrides,
  files: Files,
): Promise<Launch & { specHash: string; skip: boolean }> {
  const fromFiles: Record<string, string> = {};
  if (spec.loadEnvFiles)
    for (const file of spec.envFiles) {
      const text = await files.readText(file).catch(() => null);
      if (text !== null) Object.assign(fromFiles, parseEnv(text));
    }
  const env: Record<string, string> = { ...fromFiles, ...caller, ...spec.env, ...overrides.env };
  // Where nobody chose a locale, a component gets one that can say everything.
  if (!env['LANG'] && !env['LC_ALL'] && !env['LC_CTYPE']) env['LANG'] = 'C.UTF-8';
  const wantedHeap = overrides.heapMb ?? spec.limits.heapMb;
  let argv = spec.command;
  const inCommand = argv.findIndex((word) => HEAP_OPTION.test(word));
  if (wantedHeap !== null) {
    const option = `--max-old-space-size=${wantedHeap}`;
    // An option on the command line wins over NODE_OPTIONS: it must change where it stands.
    if (inCommand >= 0) argv = argv.map((word, i) => (i === inCommand ? word.replace(HEAP_OPTION, option) : word));
    else env['NODE_OPTIONS'] = `${(env['NODE_OPTIONS'] ?? '').replace(HEAP_OPTION, '').trim()} ${option}`.trim();
  }
  const heap = HEAP_OPTION.exec(`${argv.join(' ')} ${env['NODE_OPTIONS'] ?? ''}`)?.[1];
  const openFiles = overrides.openFiles ?? spec.limits.openFiles;
  const specHash = sha256Hex(
    JSON.stringify([
      argv,
      spec.cwd,
      Object.entries({ ...fromFiles, ...spec.env, ...overrides.env }).toSorted(([a], [b]) => a.localeCompare(b)),
      openFiles,
      heap ?? null,
    ]),
  );
  return { argv, env, openFiles, heapMb: heap === undefined ? null : Number(heap), specHash, skip: overrides.skip };
}
