import { basename, dirname, join, resolve } from 'node:path';
import type { Check, CheckContext, Finding, Severity } from '../../domains/preflight/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import type { CommandResult } from '../../kernel/index.ts';
import { asFound, askingFolder } from '../asking-folder.ts';
import { readElf } from '../elf.ts';
import { found, listed, shownPath } from './found.ts';
import { serviceEnvironment } from './service-files.ts';

type Environment = Readonly<Record<string, string>>;

const VERSION_LIMIT_MS = 5000;
const CACHE_BYTES_MAX = 4 * 1024 * 1024;
const FIRST_LINE_BYTES = 512;

/** Node is what Grace itself runs on, and its modules are looked at elsewhere. */
const NODE = /^(?:node|nodejs|npm|npx|yarn|pnpm|tsx)$/;
/** How these tell their version. Nothing else is ever run: a program that is not known may do anything. */
const VERSION_OF: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^java$/, ['-version']],
  [/^ruby(?:\d[\d.]*)?$/, ['--version']],
  [/^php(?:\d[\d.]*)?$/, ['-v']],
  [/^perl(?:\d[\d.]*)?$/, ['-v']],
  [/^go$/, ['version']],
  [/^(?:dotnet|deno|bun)$/, ['--version']],
];
/** What a version is asked with: variables such as RUBYOPT and JAVA_TOOL_OPTIONS would run code of the service. */
const KEPT_NAMES =
  /^(?:PATH|HOME|LANG|LC_\w+|TMPDIR|LD_LIBRARY_PATH|JAVA_HOME|DOTNET_ROOT|(?:RBENV|PYENV|PHPENV|JENV|NODENV|ASDF|MISE|RVM|GEM)_\w+)$/;
const MACHINES: Readonly<Record<number, string>> = {
  3: 'x86 (32 bit)',
  40: 'ARM (32 bit)',
  62: 'x86-64',
  183: 'ARM64',
  243: 'RISC-V',
  21: 'PowerPC64',
  22: 's390x',
};
const NAMES_BYTES_MAX = 1024 * 1024;
const LIBRARIES_MAX = 200;
/** 64-bit machines that also run the 32 bits before them. */
const ALSO_RUNS: Readonly<Record<number, number>> = { 62: 3, 183: 40 };

/** Whether the program of a command can be run: there, allowed, made for this machine, with its libraries and the file it is given. */
export const command: Check = {
  name: 'command',
  title: 'programs of the commands',
  timeLimitMs: 8000,
  when: 'beside_start',
  isNeeded: async (context) => lookedAt(context).length > 0 || (await missingEntries(context)).length > 0,
  async run(context) {
    const all = await Promise.all(lookedAt(context).map((spec) => look(spec, context)));
    return [...all.flat(), ...(await missingEntries(context))];
  },
};

/** Of Node only the file it begins with is looked for here: without it there are no imports to look at. */
async function missingEntries(context: CheckContext): Promise<readonly Finding[]> {
  const { files, components, projectDir } = context;
  const findings: Finding[] = [];
  for (const { name, command: argv, cwd, optional } of components) {
    if (optional || basename(argv[0] ?? '') !== 'node') continue;
    const file = argv.slice(1).find((word) => !/^--[\w-]+=/.test(word));
    if (file === undefined || file.startsWith('-') || file === 'inspect') continue;
    const path = resolve(cwd, file);
    const there = await Promise.all(['', '.js', '.json', '.node'].map((ending) => files.realpath(path + ending).catch(() => path)));
    if (there.some((real) => real !== null)) continue;
    const isInstalled = path.includes('/node_modules/');
    const hint = isInstalled ? 'npm ci, or what your package manager calls it' : 'build it, or correct the command';
    const message = `its command names ${shownPath(projectDir, path)}, which is not there`;
    findings.push(found(context, { severity: 'error', code: 'command_file_missing', component: name, message, hint }));
  }
  return findings;
}

function lookedAt({ components }: CheckContext): readonly ComponentSpec[] {
  return components.filter(({ command: argv, optional }) => !optional && argv.length > 0 && !NODE.test(basename(argv[0] ?? '')));
}

async function look(spec: ComponentSpec, context: CheckContext): Promise<readonly Finding[]> {
  const env = await serviceEnvironment(spec, context);
  const [name = ''] = spec.command;
  const say = (severity: Severity, code: string, message: string, hint: string): Finding =>
    found(context, { severity, code, component: spec.name, message, hint });
  const program = await programOf(name, spec.cwd, env, context);
  if (program.state === 'missing')
    return [
      say(
        'error',
        'command_missing',
        `its program ${name} is not there`,
        name.includes('/') ? 'build it, or correct the command' : 'install it, or add its folder to PATH',
      ),
    ];
  const shown = shownPath(context.projectDir, program.path);
  if (program.state === 'not_executable')
    return [say('error', 'command_not_executable', `its program ${shown} may not be executed`, `chmod +x ${shown}`)];
  const broken = await whyBroken(program.path, spec, env, context);
  if (broken !== null) return [say('error', 'command_broken', `its program ${shown} cannot be run: ${broken.problem}`, broken.hint)];
  const file = await missingFile(spec, context);
  if (file !== null)
    return [
      say(
        'error',
        'command_file_missing',
        `its command names ${shownPath(context.projectDir, file.path)}, ${file.problem}`,
        'build it, or correct the command',
      ),
    ];
  return versionOf(spec, program.path, env, context, say);
}

type Program = { readonly state: 'there' | 'not_executable'; readonly path: string } | { readonly state: 'missing' };

/** As execvp finds it. */
async function programOf(name: string, cwd: string, env: Environment, { files }: CheckContext): Promise<Program> {
  const paths = name.includes('/') ? [resolve(cwd, name)] : (env['PATH'] ?? '').split(':').map((dir) => resolve(cwd, dir, name));
  let refused: Program = { state: 'missing' };
  for (const path of paths) {
    const real = await files.realpath(path).catch(() => null);
    const stat = real === null ? null : await files.stat(real).catch(() => null);
    if (stat?.kind !== 'file') continue;
    if ((stat.mode & 0o111) !== 0) return { state: 'there', path };
    if (refused.state === 'missing') refused = { state: 'not_executable', path };
  }
  return refused;
}

/** What an ELF file needs to be run; names that are no paths are left out. */
interface Executable {
  readonly machine: number;
  /** The program that loads it; null when it is linked statically. */
  readonly interpreter: string | null;
  readonly needed: readonly string[];
  readonly searchPaths: readonly string[];
}

interface Broken {
  readonly problem: string;
  readonly hint: string;
}

async function whyBroken(path: string, spec: ComponentSpec, env: Environment, context: CheckContext): Promise<Broken | null> {
  const { files } = context;
  const real = (await files.realpath(path).catch(() => null)) ?? path;
  const begin = await files.read(real, FIRST_LINE_BYTES).catch(() => null);
  if (begin === null) return null; // it may be executed and not read
  if (begin.length === 0) return { problem: 'the file is empty', hint: 'build it anew' };
  const text = new TextDecoder('latin1').decode(begin);
  if (text.startsWith('#!')) return forItsFirstLine(text, spec, env, context);
  if (text.startsWith('MZ')) return { problem: 'it is made for Windows', hint: 'build it for Linux' };
  if (/^(?:\u00CF\u00FA\u00ED\u00FE|\u00CE\u00FA\u00ED\u00FE|\u00CA\u00FE\u00BA\u00BE)/.test(text))
    return { problem: 'it is made for macOS', hint: 'build it for Linux' };
  const elf = await executable(real, files);
  return elf === null ? null : forThisMachine(elf, real, env, context);
}

async function forItsFirstLine(text: string, spec: ComponentSpec, env: Environment, context: CheckContext): Promise<Broken | null> {
  const line = text.slice(2).split('\n')[0] ?? '';
  const [interpreter = '', ...rest] = line.trim().split(/[ \t]+/);
  if (line.endsWith('\r')) return { problem: 'its first line ends as on Windows', hint: 'write it with Unix line ends: sed -i "s/\\r$//"' };
  const named = basename(interpreter) === 'env' ? rest.find((word) => !word.startsWith('-') && !word.includes('=')) : interpreter;
  // an environment may be named relative to where it is started
  if (named === undefined || named === '' || !/^[\w./+-]+$/.test(named)) return null;
  return (await programOf(named, spec.cwd, env, context)).state === 'there'
    ? null
    : { problem: `its first line names ${named}, which is not there`, hint: 'install it, or make the environment of the script anew' };
}

async function executable(path: string, files: CheckContext['files']): Promise<Executable | null> {
  const elf = await readElf((offset, length) => files.readRange(path, offset, length).catch(() => null), NAMES_BYTES_MAX);
  if (elf === null || elf.image === null) return null;
  const { interpreter, linking } = elf.image;
  const named = (names: readonly string[] = []): readonly string[] => names.slice(0, LIBRARIES_MAX).flatMap((name) => plain(name) ?? []);
  return {
    machine: elf.machine,
    interpreter: interpreter === null ? null : plain(interpreter),
    needed: named(linking?.needed),
    searchPaths: named(linking?.searchPaths).flatMap((paths) => paths.split(':')),
  };
}

/** null for what is no name. */
function plain(name: string): string | null {
  const text = name.slice(0, 1000);
  return /^[\w./+$@{}:~ -]+$/.test(text) ? text : null;
}

async function forThisMachine(elf: Executable, path: string, env: Environment, { files }: CheckContext): Promise<Broken | null> {
  // What runs this code is made for this machine.
  const own = await executable('/proc/self/exe', files);
  if (own !== null && elf.machine !== own.machine && ALSO_RUNS[own.machine] !== elf.machine) {
    const emulators = (await files.list('/proc/sys/fs/binfmt_misc').catch(() => [])).filter(
      (name) => !['register', 'status'].includes(name),
    );
    if (emulators.length > 0) return null;
    const [its, ours] = [elf.machine, own.machine].map((machine) => MACHINES[machine] ?? `machine ${machine}`);
    return { problem: `it is made for ${its}, and this machine is ${ours}`, hint: 'build it, or fetch it, for this machine' };
  }
  if (elf.interpreter === null) return null;
  if ((await files.realpath(elf.interpreter).catch(() => null)) === null)
    return {
      problem: `it needs ${elf.interpreter}, which is not there`,
      hint: elf.interpreter.includes('musl')
        ? 'it is made for Alpine Linux: build it for glibc, or link it statically'
        : 'it is made for another Linux: build it here',
    };
  const missing: string[] = [];
  for (const library of elf.needed) if (!(await isThere(library, elf, path, env, files))) missing.push(library);
  return missing.length === 0
    ? null
    : {
        problem: `it needs ${listed(missing, 4)}, which ${missing.length === 1 ? 'is' : 'are'} not there`,
        hint: 'install the package that brings it, or set LD_LIBRARY_PATH',
      };
}

/** Where the loader looks. @see ld.so(8) */
async function isThere(library: string, elf: Executable, path: string, env: Environment, files: CheckContext['files']): Promise<boolean> {
  if (library.includes('/') || basename(elf.interpreter ?? '') === library) return true;
  const origin = dirname(path);
  const multiarch = elf.machine === 62 ? 'x86_64-linux-gnu' : elf.machine === 183 ? 'aarch64-linux-gnu' : 'i386-linux-gnu';
  const dirs = [
    ...elf.searchPaths.map((dir) => dir.replace(/\$\{?ORIGIN\}?/, origin).replace(/\$\{?LIB\}?/, `lib/${multiarch}`)),
    ...(env['LD_LIBRARY_PATH'] ?? '').split(':').filter(Boolean),
    '/lib',
    '/usr/lib',
    '/lib64',
    '/usr/lib64',
    '/usr/local/lib',
    `/lib/${multiarch}`,
    `/usr/lib/${multiarch}`,
  ];
  for (const dir of dirs) if ((await files.realpath(join(dir, library)).catch(() => null)) !== null) return true;
  const cache = await files.read('/etc/ld.so.cache', CACHE_BYTES_MAX).catch(() => null);
  return cache !== null && Buffer.from(cache).includes(`\0${library}\0`, 0, 'latin1');
}

/** The script or archive right behind the interpreter; behind options it could be the value of one. */
async function missingFile(
  spec: ComponentSpec,
  { files }: CheckContext,
): Promise<{ readonly path: string; readonly problem: string } | null> {
  const [name = '', ...rest] = spec.command;
  const program = basename(name);
  const jar = program === 'java' ? rest[rest.indexOf('-jar') + 1] : undefined;
  const isJar = jar !== undefined && rest.includes('-jar');
  const file = isJar
    ? jar
    : /^(?:ruby|php|perl|python|bash|sh|dash|zsh)[\d.]*$/.test(program) || program === 'dotnet'
      ? rest.find((_, at) => at === 0)
      : undefined;
  if (file === undefined || file.startsWith('-') || (!isJar && !/\.(?:rb|php|pl|py|sh|dll)$/.test(file))) return null;
  const path = resolve(spec.cwd, file);
  const real = await files.realpath(path).catch(() => null);
  if (real === null) return { path, problem: 'which is not there' };
  const begin = isJar ? await files.read(real, 4).catch(() => null) : null;
  return begin !== null && new TextDecoder('latin1').decode(begin.subarray(0, 2)) !== 'PK'
    ? { path, problem: 'which is no Java archive' }
    : null;
}

async function versionOf(
  spec: ComponentSpec,
  path: string,
  env: Environment,
  context: CheckContext,
  say: (severity: Severity, code: string, message: string, hint: string) => Finding,
): Promise<readonly Finding[]> {
  const name = basename(path);
  const args = VERSION_OF.find(([pattern]) => pattern.test(name))?.[1];
  // One of the project itself only has the name in common.
  if (args === undefined || [spec.cwd, context.projectDir].some((dir) => path.startsWith(`${dir}/`))) return [];
  const kept = Object.fromEntries(Object.entries(env).filter(([variable]) => KEPT_NAMES.test(variable)));
  const ask = (cwd: string): Promise<CommandResult> =>
    context.spawner.run([path, ...args], { cwd, env: kept, timeoutMs: VERSION_LIMIT_MS, signal: context.signal });
  const folder = askingFolder(await asFound(path, context), spec.cwd);
  let result = await ask(folder);
  // A variable may lead to its libraries from the folder of the service.
  if (result.exitCode !== 0 && !result.timedOut && folder !== spec.cwd) result = await ask(spec.cwd);
  if (result.exitCode === 0) return [];
  const asked = `${name} ${args.join(' ')}`;
  const hint = `run it by hand in ${spec.cwd}: ${asked}`;
  if (result.timedOut) return [say('warn', 'command_broken', `${asked} gave no answer in 5 s`, hint)];
  const how = result.spawnErrorCode ?? (result.signal === null ? `exit code ${result.exitCode}` : result.signal);
  return [say('error', 'command_broken', `${asked} does not run (${how})`, hint)];
}
