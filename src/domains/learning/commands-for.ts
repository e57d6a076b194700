import { dirname, isAbsolute, relative } from 'node:path';
import type { Explanation, Failure, SuggestedCommand } from '../incidents/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { Diagnosis } from './family.ts';
import { shellCommand, shellWord } from './shell-word.ts';

export interface CommandCase {
  readonly failure: Pick<Failure, 'facts' | 'context' | 'stage'>;
  readonly component: Pick<ComponentSpec, 'name' | 'kind' | 'cwd' | 'logFile' | 'envFiles' | 'port'>;
  readonly incident: string;
  readonly outcome: Explanation['outcome'];
  /** The playbook that did it, would do it, or waits. */
  readonly playbook: string | null;
  /** The request that waits for a person. */
  readonly approval: string | null;
  /** Whether it ran and wrote something: a check that failed before it was started says nothing in a log. */
  readonly hasLog: boolean;
  /** Whether something is different from the last good boot. */
  readonly hasDrift: boolean;
  /** Where the person is expected to stand: paths below it are told relative to it. */
  readonly projectDir: string;
}

/** More are not read at night. */
const COMMANDS_MAX = 6;
const LOG_LINES = '50';
/** `6. Autonomy Load`: it failed to start. */
const BOOT_STAGE = /^\d+\. /;

/**
 * What a person can run to see for themselves, and to go on. Everything only looks, or is what Grace itself would do under
 * its rules: nothing that ends, removes or overwrites. Whatever comes from error text is one quoted word or left out.
 */
export function commandsFor(diagnosis: Diagnosis, c: CommandCase): readonly SuggestedCommand[] {
  const found: Maybe[] = [];
  if (c.outcome === 'healed') return commandsAfterHealing(c.playbook);
  if (c.outcome === 'needs_approval' && c.approval !== null)
    found.push(
      command('what the fix would do', 'grace', 'approvals', 'show', c.approval),
      command('let it run', 'grace', 'approvals', 'approve', c.approval),
    );
  else if (c.outcome === 'observed' && c.playbook !== null)
    found.push(command('what the fix would do', 'grace', 'playbooks', 'show', c.playbook));
  found.push(...(OF_FAMILY[diagnosis.family]?.(diagnosis, c) ?? []));
  if (c.component.kind === 'process' && c.hasLog)
    found.push(command('what it wrote last', 'tail', '-n', LOG_LINES, below(c, c.component.logFile)));
  if (c.hasDrift) found.push(command('what changed since the last good boot', 'grace', 'diff'));
  if (c.outcome !== 'needs_approval' && c.outcome !== 'observed' && BOOT_STAGE.test(c.failure.stage))
    found.push(command('start it again, once that is mended', 'grace', 'up'));
  return kept(found);
}

/** Nothing has to be done any more; what was done can be read. */
export function commandsAfterHealing(playbook: string | null): readonly SuggestedCommand[] {
  return playbook === null ? [] : kept([command('what the fix does', 'grace', 'playbooks', 'show', playbook)]);
}

/** It was only started again: why it ended is in what it wrote before. */
export function commandsAfterRestart(component: CommandCase['component'], projectDir: string): readonly SuggestedCommand[] {
  return kept([command('what it wrote before and after', 'tail', '-n', LOG_LINES, below({ component, projectDir }, component.logFile))]);
}

type Maybe = SuggestedCommand | null;
type Looks = (diagnosis: Diagnosis, c: CommandCase) => readonly Maybe[];

/** What to look at, by family; one without a line here has the log, the differences and the restart. */
const OF_FAMILY: Readonly<Record<string, Looks>> = {
  port_in_use: (d, c) => [
    ...portsOf(d, c).map((port) => listening(port)),
    ...pidsIn(d.cause).map((pid) =>
      command('what that process is, since when, and whose', 'ps', '-o', 'pid,ppid,user,lstart,args', '-p', pid),
    ),
  ],
  port_forbidden: () => [command('the first port that needs no rights', 'cat', '/proc/sys/net/ipv4/ip_unprivileged_port_start')],
  dependency_down: (d, c) => {
    const address = addressOf(d, c);
    if (address === null) return [];
    return [
      command('whether anything answers there', 'nc', '-vz', '-w', '3', address.host, String(address.port)),
      LOCAL.has(address.host) ? listening(address.port) : null,
    ];
  },
  too_many_connections: (d, c) => portsOf(d, c).map((port) => said(`ss -tn state established '( dport = :${port} )'`, 'who is connected')),
  env_missing: (_d, c) => {
    const names = [...new Set(subjects(c, 'env_missing'))].filter((name) => ENV_NAME.test(name)).slice(0, ENV_NAMES_MAX);
    if (names.length === 0) return [];
    return [command('which env file sets it, by name only', 'grep', '-l', ...names.flatMap((name) => ['-e', `^${name}=`]), ...envFiles(c))];
  },
  env_file_missing: (_d, c) => {
    const [file] = envFiles(c);
    return file === undefined ? [] : [command('begin with the example, and fill it in', 'cp', '-n', `${file}.example`, file)];
  },
  package_missing: packages,
  package_damaged: packages,
  command_missing: (_d, c) =>
    subjects(c, 'command_missing')
      .filter((name) => PROGRAM.test(name))
      .map((name) => command('where it is, if anywhere', 'command', '-v', name)),
  runtime_version_mismatch: () => [command('which one runs here', 'node', '--version')],
  local_module_missing: files,
  circular_import: files,
  config_corrupt: files,
  file_missing: files,
  directory_missing: (d, c) =>
    pathsOf(d, c)
      .slice(0, 1)
      .map((path) => command('what lies beside it', 'ls', '-la', dirname(path))),
  wrong_file_type: files,
  data_corrupt: files,
  drift_suspect: files,
  permission_denied: (d, c) => pathsOf(d, c).map((path) => command('owner and mode of every folder on the way', 'namei', '-l', path)),
  stale_lock: holders,
  database_locked: holders,
  certificate_problem: (_d, c) =>
    subjects(c, 'certificate_problem')
      .filter((path) => path.includes('/') && !path.includes('://'))
      .map((path) => command('for whom and until when it is', 'openssl', 'x509', '-noout', '-subject', '-dates', '-in', below(c, path))),
  disk_full: (d, c) => {
    const path = d.waitFor?.kind === 'disk_room' ? d.waitFor.path : (pathsOf(d, c)[0] ?? c.component.cwd);
    const word = shellWord(path);
    return [
      command('how full the disk is', 'df', '-h', path),
      word === null ? null : said(`du -xh --max-depth=1 ${word} | sort -h | tail -n 15`, 'what takes the room'),
    ];
  },
  read_only_file_system: (d, c) => [command('how it is mounted', 'findmnt', '-T', pathsOf(d, c)[0] ?? c.component.cwd)],
  heap_too_small: memory,
  memory_growth: memory,
  too_many_open_files: (_d, c) => {
    const pid = pidOf(c);
    return pid === null
      ? []
      : [command('its limits', 'cat', `/proc/${pid}/limits`), said(`ls /proc/${pid}/fd | wc -l`, 'files it has open')];
  },
  encoding: () => [said('locale', 'what the terminal speaks')],
  killed_for_memory: memory,
  memory_refused: memory,
  too_many_processes: () => [said('ulimit -u', 'how many may run'), said('ps -eL | wc -l', 'how many run, threads included')],
  arguments_too_long: () => [command('how much a command line may hold', 'getconf', 'ARG_MAX')],
  shared_memory_full: () => [command('how full it is', 'df', '-h', '/dev/shm')],
  file_watch_limit: () => [command('the limit', 'cat', '/proc/sys/fs/inotify/max_user_watches')],
  storage_failing: (d, c) => [command('which disk it is', 'findmnt', '-T', pathsOf(d, c)[0] ?? c.component.cwd)],
  wrong_architecture: () => [command('what this machine is', 'uname', '-m')],
  address_unavailable: () => [command('the addresses this machine has', 'ip', '-brief', 'address')],
  own_name_unresolved: () => [said('getent hosts "$(hostname)"', 'what the machine knows about its own name')],
  locale_missing: () => [said('locale -a', 'the locales that are installed')],
  time_zone_missing: () => [command('the time zone of the machine', 'ls', '-l', '/etc/localtime')],
  clock_wrong: () => [command('what it takes the time for', 'date', '-u')],
  hung: processState,
  slow: processState,
  process_stopped: processState,
};

function packages(d: Diagnosis, c: CommandCase): readonly Maybe[] {
  const directory = d.remedy?.steps.map((s) => s.params['directory']).find((value) => typeof value === 'string') ?? c.component.cwd;
  const usual = c.failure.facts.map((f) => MANAGER_OF[f.runtime]).find((name) => name !== undefined) ?? 'npm';
  const manager = / with (npm|pnpm|yarn|pip|bundler|composer)$/.exec(d.remedy?.description ?? '')?.[1] ?? usual;
  const names = subjects(c, 'module_missing', 'native_module_broken').filter((name) => PACKAGE_NAME.test(name));
  const install = INSTALL[manager];
  return [
    manager === 'npm' && names[0] !== undefined ? inFolder(c, directory, 'what is installed of it', 'npm', 'ls', names[0]) : null,
    manager === 'pip' && names[0] !== undefined
      ? inFolder(c, directory, 'what is installed of it', 'python3', '-m', 'pip', 'show', names[0])
      : null,
    // Where Grace has nothing to install, the lock file does not name what is missing, or is not there.
    install === undefined || d.remedy === null ? null : inFolder(c, directory, 'install what the lock file names', ...install),
  ];
}

const MANAGER_OF: Readonly<Record<string, string>> = { python: 'pip', ruby: 'bundler', php: 'composer' };

const INSTALL: Readonly<Record<string, readonly string[]>> = {
  npm: ['npm', 'ci'],
  pnpm: ['pnpm', 'install', '--frozen-lockfile'],
  yarn: ['yarn', 'install', '--immutable'],
  pip: ['python3', '-m', 'pip', 'install', '-r', 'requirements.txt'],
  bundler: ['bundle', 'install'],
  composer: ['composer', 'install'],
};

function files(d: Diagnosis, c: CommandCase): readonly Maybe[] {
  return pathsOf(d, c)
    .slice(0, 1)
    .flatMap((path) => [
      command('whether it is there, and whose', 'ls', '-ld', path),
      command('who changed it last', 'git', 'log', '-3', '--oneline', '--', path),
    ]);
}

function holders(d: Diagnosis, c: CommandCase): readonly Maybe[] {
  return pathsOf(d, c)
    .slice(0, 1)
    .map((path) => command('who has it open', 'fuser', '-v', path));
}

function memory(_d: Diagnosis, c: CommandCase): readonly Maybe[] {
  return [said('free -m', 'what memory the machine has'), ...processState(_d, c)];
}

function processState(_d: Diagnosis, c: CommandCase): readonly Maybe[] {
  const pid = pidOf(c);
  return pid === null ? [] : [command('what it is doing', 'ps', '-o', 'pid,stat,pcpu,rss,etime,wchan:20,args', '-p', pid)];
}

/** Variables looked for in one command. */
const ENV_NAMES_MAX = 3;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const PACKAGE_NAME = /^(?:@[a-z0-9][\w.-]{0,100}\/)?[A-Za-z0-9][\w.-]{0,100}$/;
const PROGRAM = /^[A-Za-z0-9_./][\w./+-]{0,200}$/;
const HOST = /^(?:[A-Za-z0-9][A-Za-z0-9.-]{0,252}|[0-9a-fA-F:]{2,45})$/;
const LOCAL = new Set(['127.0.0.1', 'localhost', '::1', '0.0.0.0', '::']);

function listening(port: number): SuggestedCommand {
  return said(`ss -ltnp 'sport = :${port}'`, `who listens on port ${port}`);
}

function portsOf(d: Diagnosis, c: CommandCase): readonly number[] {
  const waited = d.waitFor?.kind === 'port_free' || d.waitFor?.kind === 'reachable' ? d.waitFor.port : null;
  const ports = [waited, ...subjects(c, 'port_in_use', 'port_forbidden').map(Number), c.component.port].filter(isPort);
  return [...new Set(ports)].slice(0, 1);
}

function isPort(value: number | null): value is number {
  return value !== null && Number.isInteger(value) && value > 0 && value <= 65_535;
}

function addressOf(d: Diagnosis, c: CommandCase): { readonly host: string; readonly port: number } | null {
  if (d.waitFor?.kind === 'reachable') return HOST.test(d.waitFor.host) && isPort(d.waitFor.port) ? d.waitFor : null;
  const [, host = '', port = ''] =
    /^\[?([^\]/]{1,253})\]?:(\d{1,5})$/.exec(subjects(c, 'connection_refused', 'connection_lost')[0] ?? '') ?? [];
  return HOST.test(host) && isPort(Number(port)) ? { host, port: Number(port) } : null;
}

/** Named by the fix, by what is waited for, or by the failure; below the project relative to it. */
function pathsOf(d: Diagnosis, c: CommandCase): readonly string[] {
  const named = [
    ...(d.remedy?.steps.flatMap((s) => [s.params['path'], s.params['file']]) ?? []),
    d.waitFor?.kind === 'file_change' ? d.waitFor.path : null,
    ...c.failure.facts.filter((f) => PATH_FACTS.has(f.kind)).map((f) => f.subject),
  ];
  const paths = named.filter((path): path is string => typeof path === 'string' && path !== '' && !path.includes('://'));
  return [...new Set(paths.map((path) => below(c, path)))].slice(0, 3);
}

const PATH_FACTS: ReadonlySet<string> = new Set([
  'path_missing', 'permission_denied', 'read_only_file_system', 'not_a_directory', 'is_a_directory', 'syntax_error', 'data_corrupt',
  'config_invalid', 'database_locked', 'lock_held', 'disk_full', 'circular_import',
]); // prettier-ignore

function envFiles(c: CommandCase): readonly string[] {
  return c.component.envFiles.length === 0 ? ['.env'] : c.component.envFiles.map((file) => below(c, file));
}

function subjects(c: CommandCase, ...kinds: readonly string[]): readonly string[] {
  return c.failure.facts.filter((f) => kinds.includes(f.kind) && f.subject !== '').map((f) => f.subject);
}

/** In Grace's own words, so it is a number. */
function pidsIn(cause: string): readonly string[] {
  return [...cause.matchAll(/\bpid (\d{1,7})\b/g)].map((match) => match[1] ?? '').slice(0, 1);
}

function pidOf(c: CommandCase): string | null {
  const pid = c.failure.context['pid'];
  return typeof pid === 'number' && Number.isInteger(pid) && pid > 0 ? String(pid) : null;
}

/** A path as it is told where the person stands, and never an option; one relative to the component's folder is meant there. */
function below(c: Pick<CommandCase, 'component' | 'projectDir'>, path: string): string {
  const whole = isAbsolute(path) ? path : `${c.component.cwd}/${path.replace(/^(?:\.\/)+/, '')}`;
  const inside = relative(c.projectDir, whole);
  if (inside === '') return '.';
  if (inside === '..' || inside.startsWith('../')) return whole;
  return inside.startsWith('-') ? `./${inside}` : inside;
}

/** Run where it belongs, without moving the person's shell. */
function inFolder(c: CommandCase, directory: string, why: string, ...words: readonly string[]): Maybe {
  const folder = below(c, directory);
  const run = shellCommand(...words);
  if (run === null) return null;
  if (folder === '.') return said(run, why);
  const word = shellWord(folder);
  return word === null ? null : said(`(cd ${word} && ${run})`, why);
}

function command(why: string, ...words: readonly string[]): Maybe {
  const run = shellCommand(...words);
  return run === null ? null : said(run, why);
}

function said(run: string, why: string): SuggestedCommand {
  return { command: run, why };
}

function kept(found: readonly Maybe[]): readonly SuggestedCommand[] {
  const all = found.filter((one) => one !== null);
  return all.filter((one, i) => all.findIndex((other) => other.command === one.command) === i).slice(0, COMMANDS_MAX);
}
