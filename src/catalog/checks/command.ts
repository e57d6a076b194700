import { builtinModules } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import type { Check, CheckContext, Finding, Severity } from '../../domains/preflight/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import type { CommandResult } from '../../kernel/index.ts';
import { asFound, askingFolder } from '../asking-folder.ts';
import { readElf } from '../elf.ts';
import { exampleOf } from '../families/env-text.ts';
import { found, listed, shownPath } from './found.ts';
import { readNodeLine } from './node-options.ts';
import { serviceEnvironment } from './service-files.ts';
import { isInstalled, startedProgram, type StartedProgram } from './start-script.ts';

type Environment = Readonly<Record<string, string>>;

const BUILT_IN = new Set(builtinModules);
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

/** Of Node only what it begins with is looked for here: the rest is found by following the imports from there. */
async function missingEntries(context: CheckContext): Promise<readonly Finding[]> {
  const all = await Promise.all(context.components.filter(({ optional }) => !optional).map((spec) => missingOf(spec, context)));
  return all.flat();
}

async function missingOf(spec: ComponentSpec, context: CheckContext): Promise<readonly Finding[]> {
  const { files, projectDir } = context;
  const { name, command: argv, cwd } = spec;
  const say = (code: string, message: string, hint: string, severity: Severity = 'error'): Finding =>
    found(context, { severity, code, component: name, message, hint });
  const started = await startedProgram(argv, cwd, files);
  if (started === null) return [];
  if (started.state === 'no_script')
    return [
      say(
        'command_script_missing',
        `its command runs the script "${started.name.slice(0, 100)}", which package.json does not have`,
        'write it there, or correct the command',
      ),
    ];
  const [program = '', ...words] = started.argv;
  if (!/^node(?:js)?$/.test(basename(program))) return missingTool(started, spec, context, say);
  const env = await context.environmentOf(spec);
  const line = readNodeLine(words, started.env['NODE_OPTIONS'] ?? env['NODE_OPTIONS']);
  const findings: Finding[] = [];
  for (const file of line.envFiles) {
    const path = resolve(cwd, file);
    if (await isAt(path, files)) continue;
    // Where there is an example, Grace may make it before the start.
    const isMade = (await exampleOf(files, path)) !== null;
    const message = `its command reads ${shownPath(projectDir, path)}, which is not there: Node ends at once`;
    findings.push(say('env_file_missing', message, 'make it, or write --env-file-if-exists', isMade ? 'warn' : 'error'));
  }
  for (const [i, { specifier, how, option }] of line.preloads.entries()) {
    if (await isPreloadThere(specifier, how, i > 0, cwd, env, files)) continue;
    const isPath = /^(?:\.{0,2}\/|file:)/.test(specifier);
    const shown = specifier.slice(0, 200);
    findings.push(
      say(
        'command_preload_missing',
        `its command loads "${shown}" first (${option}), which is not ${isPath ? 'there' : 'installed'}`,
        isPath ? 'build it, or correct the command' : 'install it, or take it out of the command',
      ),
    );
  }
  // What is loaded before may find it in its own way.
  if (line.main === null || line.main === '-' || line.main === 'inspect' || line.preloads.length > 0) return findings;
  const path = resolve(cwd, line.main);
  const there = await Promise.all(['', '.js', '.json', '.node'].map((ending) => files.realpath(path + ending).catch(() => path)));
  if (there.some((real) => real !== null)) return findings;
  const hint = path.includes('/node_modules/') ? 'npm ci, or what your package manager calls it' : 'build it, or correct the command';
  return [...findings, say('command_file_missing', `its command names ${shownPath(projectDir, path)}, which is not there`, hint)];
}

/** Words that a shell has by itself, or that run something else. */
const OF_THE_SHELL =
  /^(?:\.|:|cd|command|eval|exit|export|hash|if|for|while|read|set|source|test|time|trap|type|ulimit|umask|unset|wait|\[)$/;

/** A tool that a script runs: `next start` where nothing is installed. */
async function missingTool(
  { argv, manager, env: set }: Extract<StartedProgram, { readonly state: 'program' }>,
  spec: ComponentSpec,
  context: CheckContext,
  say: (code: string, message: string, hint: string) => Finding,
): Promise<readonly Finding[]> {
  const [program = ''] = argv;
  if ((manager !== 'npm' && manager !== 'pnpm') || !/^[\w@.-]+$/.test(program) || OF_THE_SHELL.test(program)) return [];
  if (NODE.test(program) && program !== 'tsx') return [];
  if (await isInstalled(join('.bin', program), spec.cwd, context.files)) return [];
  const env = await serviceEnvironment(spec, context);
  if (set['PATH'] !== undefined || (await programOf(program, spec.cwd, env, context)).state !== 'missing') return [];
  return [say('command_missing', `its script runs ${program}, which is not installed`, `${manager} install`)];
}

async function isAt(path: string, files: CheckContext['files']): Promise<boolean> {
  // A place that may not be looked at may be there.
  return (await files.realpath(path).catch(() => path)) !== null;
}

/** Node also looks there for what is required by name; the last two are those of Debian's package. */
const GLOBAL_FOLDERS = ['/usr/lib/node', '/usr/local/lib/node', '/usr/share/nodejs', '/usr/lib/nodejs'];

/** True also where it cannot be told. */
async function isPreloadThere(
  specifier: string,
  how: 'require' | 'import',
  isAfterOther: boolean,
  cwd: string,
  env: Environment,
  files: CheckContext['files'],
): Promise<boolean> {
  if (/^(?:\.{0,2}\/|file:\/\/\/)/.test(specifier)) {
    if (/[%?#]/.test(specifier)) return true;
    const path = resolve(cwd, specifier.replace(/^file:\/\//, ''));
    if (await isAt(path, files)) return true;
    if (how === 'import' && !isAfterOther) return false;
    // Endings are added, and a translator that was loaded before takes `.ts` for `.js`.
    const stem = basename(path).replace(/\.[cm]?[jt]s$/, '');
    return (await files.list(dirname(path)).catch(() => [])).some((other) => other.startsWith(`${stem}.`));
  }
  const [, name] = /^((?:@[\w.-]+\/)?[\w.-]+)(?:\/[\w./-]*)?$/.exec(specifier) ?? [];
  if (name === undefined || name.startsWith('.') || BUILT_IN.has(name) || env['NODE_PATH']) return true;
  if (await isInstalled(name, cwd, files)) return true;
  const home = env['HOME'];
  const folders = [...GLOBAL_FOLDERS, ...(home === undefined ? [] : [join(home, '.node_modules'), join(home, '.node_libraries')])];
  for (const folder of folders) if (await isAt(join(folder, name), files)) return true;
  // A package may load itself by name.
  for (let at = resolve(cwd); ; at = dirname(at)) {
    const text = await files.readText(join(at, 'package.json'), NAMES_BYTES_MAX).catch(() => '');
    if (text !== null)
      return text.includes(JSON.stringify(name)) && new RegExp(`"name"\\s{0,9}:\\s{0,9}"${name.replaceAll('.', '\\.')}"`).test(text);
    if (dirname(at) === at) return false;
  }
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
