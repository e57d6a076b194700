import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { NativeProblem } from '../../domains/preflight/index.ts';
import { readFully, type BuiltGraph, type GraphModule } from './build-graph.ts';
import type { PackageFile } from './module-folders.ts';
import { nativeHeader } from './native-header.ts';
import type { NodeTraits } from './node-traits.ts';
import type { ServiceEntry } from './service-entry.ts';
import { surePaths } from './sure-paths.ts';

/** What finds the binary of a package for it. */
const FINDERS = new Set(['bindings', 'node-gyp-build', 'node-pre-gyp', '@mapbox/node-pre-gyp', 'prebuild-install', 'pkg-prebuilds']);
const BINARIES_MAX = 100;
const LIBRARY_DIRS = ['/lib', '/lib64', '/usr/lib', '/usr/lib64', '/usr/local/lib'];
/** The cache of the dynamic linker is a list of names. */
const LINKER_CACHE = '/etc/ld.so.cache';
const CACHE_BYTES_MAX = 16 * 1024 * 1024;

interface Binary {
  readonly package: string;
  /** null: the package has none for this machine. */
  readonly file: string | null;
  readonly dir: string;
  /** The module that loads it. */
  readonly by: string;
  /** It is loaded whenever that module runs. */
  readonly isCertain: boolean;
}

/** Native modules the graph leads to, compared with the machine and the service's Node; none is loaded. */
export async function checkNative(
  graph: BuiltGraph,
  entry: ServiceEntry,
  node: NodeTraits,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly problems: readonly NativeProblem[]; readonly files: readonly string[] }> {
  const binaries = [...graph.modules.values()].flatMap((module) => binariesOf(module, graph, entry, node)).slice(0, BINARIES_MAX);
  const found: { readonly problem: NativeProblem; readonly binary: Binary }[] = [];
  for (const binary of binaries) {
    const problem = binary.file === null ? missing(binary, node) : await judge(binary.file, binary.package, node, env);
    if (problem !== null) found.push({ problem, binary });
  }
  const paths = surePaths(
    found.filter(({ binary }) => binary.isCertain).map(({ binary }) => binary.by),
    graph,
    entry,
    node,
  );
  return {
    problems: found.map(({ problem, binary }) => ({ ...problem, isSure: binary.isCertain && paths.has(binary.by) })),
    files: binaries.flatMap(({ file }) => file ?? []),
  };
}

function binariesOf(module: GraphModule, graph: BuiltGraph, entry: ServiceEntry, node: NodeTraits): readonly Binary[] {
  const { file, facts, leadsTo } = module;
  const isNamed = leadsTo.some((to) => to.state === 'file' && to.file.endsWith('.node'));
  const isFound = facts.requests.some(({ specifier }) => FINDERS.has(specifier));
  if (!isNamed && !isFound) return [];
  const owner = graph.folders.packageOf(file);
  const full = readFully(file, graph, entry, node);
  if (full === null) return [];
  const dir = owner?.dir ?? entry.cwd;
  const name = owner?.name ?? basename(dir);
  const found: Binary[] = [];
  for (const [i, request] of full.facts.requests.entries()) {
    const to = full.leadsTo[i];
    // One of many that a loader tries, or that it may never come to: it knows itself which fits.
    if (request.certainty === 'maybe') continue;
    if (to?.state === 'file' && to.file.endsWith('.node'))
      found.push({ package: name, file: to.file, dir, by: file, isCertain: request.certainty === 'sure' });
    else if (owner !== null && FINDERS.has(request.specifier) && dir !== finderDir(request.specifier, to)) {
      const searched = searchedBinary(request.specifier, owner, node);
      if (searched === undefined) continue;
      found.push({
        package: name,
        file: searched,
        dir,
        by: file,
        isCertain: request.certainty === 'sure' && isCalledAtOnce(file, request.specifier),
      });
    }
  }
  return found;
}

function finderDir(specifier: string, to: GraphModule['leadsTo'][number] | undefined): string | null {
  if (to?.state !== 'file') return null;
  const at = to.file.lastIndexOf(`/node_modules/${specifier}/`);
  return at < 0 ? null : to.file.slice(0, at + `/node_modules/${specifier}`.length);
}

/** `require('bindings')('name')`: what is only kept for later may never be called. */
function isCalledAtOnce(file: string, specifier: string): boolean {
  try {
    const text = readFileSync(file, 'utf8');
    return [`'`, `"`, '`'].some((quote) => text.includes(`require(${quote}${specifier}${quote})(`));
  } catch {
    return false;
  }
}

/** What a finder would find; null where it finds nothing, undefined where it looks by rules of its own. */
function searchedBinary(finder: string, { dir, json }: PackageFile, node: NodeTraits): string | null | undefined {
  const built = ['build/Release', 'build/Debug', 'build', 'out/Release', 'Release'].flatMap((place) => nodeFiles(join(dir, place)));
  if (built[0] !== undefined) return built[0];
  if (finder === 'node-gyp-build' || finder === 'pkg-prebuilds') {
    const fitting = prebuilt(dir, node);
    if (fitting !== undefined) return fitting;
    // A package for each machine, installed beside it.
    return Object.keys((json['optionalDependencies'] as object | undefined) ?? {}).length > 0 ? undefined : null;
  }
  if (finder === 'bindings') {
    const versioned = [
      `lib/binding/node-v${node.abi}-linux-${node.arch}`,
      `compiled/${node.version}/linux/${node.arch}`,
      `addon-build/release/install-root`,
      `addon-build/default/install-root`,
    ].flatMap((place) => nodeFiles(join(dir, place)));
    return versioned[0] ?? (Object.hasOwn(json, 'gypfile') || isThere(join(dir, 'binding.gyp')) ? null : undefined);
  }
  const binary = json['binary'] as { module_name?: unknown; module_path?: unknown } | undefined;
  if (typeof binary?.module_path !== 'string' || typeof binary.module_name !== 'string') return undefined;
  const { module_name: moduleName, module_path: modulePath } = binary;
  // Which version of Node-API was built is chosen when it is installed.
  const versions = modulePath.includes('{napi_build_version}') ? Array.from({ length: 10 }, (_, i) => String(10 - i)) : [''];
  for (const version of versions) {
    const place = modulePath
      .replaceAll('{napi_build_version}', version)
      .replaceAll('{node_abi}', `node-v${node.abi}`)
      .replaceAll('{node_napi_label}', `node-v${node.abi}`)
      .replaceAll('{platform}', 'linux')
      .replaceAll('{arch}', node.arch)
      .replaceAll('{libc}', node.libc === 'musl' ? 'musl' : 'glibc')
      .replaceAll('{configuration}', 'Release')
      .replaceAll('{module_name}', moduleName)
      .replaceAll('{version}', typeof json['version'] === 'string' ? json['version'] : '');
    if (place.includes('{')) return undefined;
    const file = join(dir, place, `${moduleName}.node`);
    if (isThere(file)) return file;
  }
  return null;
}

/** As node-gyp-build chooses among `prebuilds/linux-x64/`: the names say for what each was built. */
function prebuilt(dir: string, node: NodeTraits): string | undefined {
  const places = entriesOf(join(dir, 'prebuilds')).filter((name) => {
    const [platform, arches = ''] = name.split('-');
    return platform === 'linux' && arches.split('+').includes(node.arch);
  });
  for (const place of places)
    for (const file of nodeFiles(join(dir, 'prebuilds', place))) {
      const tags = basename(file).split('.').slice(0, -1);
      const abi = tags.map((tag) => /^abi(\d+)$/.exec(tag)?.[1]).find((one) => one !== undefined);
      if (tags.includes('electron') || tags.includes('node-webkit')) continue;
      if (abi !== undefined && abi !== node.abi && !tags.includes('napi')) continue;
      if (tags.some((tag) => (tag === 'glibc' || tag === 'musl') && tag !== node.libc)) continue;
      return file;
    }
  return undefined;
}

function missing({ package: name, dir }: Binary, node: NodeTraits): NativeProblem {
  return {
    kind: 'native_missing',
    isSure: false,
    package: name,
    file: dir,
    has: 'no binary',
    wanted: `linux-${node.arch}, ABI ${node.abi}`,
  };
}

async function judge(file: string, name: string, node: NodeTraits, env: Readonly<Record<string, string>>): Promise<NativeProblem | null> {
  const found = (kind: NativeProblem['kind'], has: string, wanted: string): NativeProblem => ({
    kind,
    isSure: false,
    package: name,
    file,
    has,
    wanted,
  });
  const elf = await nativeHeader(file);
  if (elf === null) return found('native_broken', 'no whole ELF file', 'a shared object');
  if (elf.arch !== node.arch) return found('native_architecture', elf.arch ?? 'another processor', node.arch);
  const musl = elf.needed.some((one) => one.startsWith('libc.musl-') || one.startsWith('ld-musl-'));
  if (node.libc === 'glibc' && musl) return found('native_libc', 'musl', 'glibc');
  if (node.libc === 'musl' && elf.needed.includes('libc.so.6')) return found('native_libc', 'glibc', 'musl');
  if (node.libc === 'glibc' && node.glibc !== null && elf.glibc !== null && minor(elf.glibc) > minor(node.glibc))
    return found('native_libc', `glibc ${elf.glibc}`, `glibc ${node.glibc}`);
  const abi = elf.abi ?? abiOfBuild(file);
  if (typeof abi === 'number' && String(abi) !== node.abi) return found('native_abi', String(abi), node.abi);
  const lost = elf.needed.find((library) => !isLibraryThere(library, file, elf.searched, env));
  if (lost !== undefined) return found('native_library', lost, 'a place where the linker looks');
  return null;
}

function minor(version: string): number {
  return Number(version.split('.')[1] ?? 0);
}

/** node-gyp writes down what it built for. */
function abiOfBuild(file: string): number | null {
  const at = relative('/', file).split('/').lastIndexOf('build');
  if (at < 0) return null;
  try {
    const text = readFileSync(
      join(
        '/',
        ...relative('/', file)
          .split('/')
          .slice(0, at + 1),
        'config.gypi',
      ),
      'utf8',
    ).slice(0, 1024 * 1024);
    const abi = /["']node_module_version["']\s{0,4}:\s{0,4}["']?(\d{1,4})/.exec(text)?.[1];
    return abi === undefined ? null : Number(abi);
  } catch {
    return null; // not built here
  }
}

function isLibraryThere(library: string, file: string, searched: readonly string[], env: Readonly<Record<string, string>>): boolean {
  if (library.includes('/')) return isThere(library);
  // Part of Node itself, or of the linker.
  if (/^(?:ld-linux|linux-vdso|libnode\.so)/.test(library)) return true;
  const dirs = [
    ...searched.map((dir) => dir.replace(/\$\{?ORIGIN\}?/g, dirname(file))),
    ...(env['LD_LIBRARY_PATH'] ?? '').split(':').filter(Boolean),
    ...LIBRARY_DIRS,
  ];
  if (dirs.some((dir) => isThere(join(dir, library)))) return true;
  const cache = linkerCache();
  // Without a cache nobody can tell where the linker looks.
  return cache === null || cache.includes(`\0${library}\0`) || cache.includes(`/${library}\0`);
}

let readCache: string | null | undefined;

function linkerCache(): string | null {
  if (readCache !== undefined) return readCache;
  try {
    readCache = statSync(LINKER_CACHE).size > CACHE_BYTES_MAX ? null : readFileSync(LINKER_CACHE, 'latin1');
  } catch {
    readCache = null;
  }
  return readCache;
}

function nodeFiles(dir: string): readonly string[] {
  return entriesOf(dir)
    .filter((name) => name.endsWith('.node'))
    .map((name) => join(dir, name));
}

function entriesOf(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
