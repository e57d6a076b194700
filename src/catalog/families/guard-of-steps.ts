import { isAbsolute, join } from 'node:path';
import { sha256Hex, type Json, type JsonObject } from '../../kernel/index.ts';
import type { GuardCase } from '../../domains/learning/index.ts';
import type { RemedyStep } from '../../domains/playbooks/index.ts';
import type { Finding, Severity } from '../../domains/preflight/index.ts';
import { envKeysOf, exampleOf } from './env-text.ts';
import { canBringBack } from './missing-part.ts';
import { absolutePath, driftAt, isBelow, shownPath } from './places.ts';
import { isStaleLock, lockPid } from './lock-owner.ts';
import { isFull, mountsOf } from './disk-room.ts';

interface Sight {
  readonly message: string;
  readonly hint: string;
  readonly severity?: Severity;
}

/** The one guard: what a step once put right is looked at again, and the first thing that is wrong again is told. */
export async function guardOfSteps(code: string, g: GuardCase): Promise<Finding | null> {
  for (const step of g.steps) {
    const sight = await look(g, step);
    if (sight === null) continue;
    return {
      severity: sight.severity ?? 'error',
      code,
      component: g.component.name,
      message: sight.message,
      evidence: [`seen before: ${g.playbook} has fixed it`],
      hint: sight.hint,
      fix: { playbook: g.playbook, params: g.params },
    };
  }
  return null;
}

async function look(g: GuardCase, step: RemedyStep): Promise<Sight | null> {
  const { params } = step;
  switch (step.primitive) {
    case 'restore_file':
      return lookAtFile(g, pathIn(g, params['path']), pathIn(g, params['from']));
    case 'write_file':
      return typeof params['over'] === 'string' ? null : lookAtWritten(g, pathIn(g, params['path']));
    case 'set_aside':
      return lookAtDropIn(g, pathIn(g, params['path']), textIn(params['digest']));
    case 'create_env_file':
      return lookAtEnvFile(g, pathIn(g, params['file']));
    case 'add_env_keys':
      return lookAtEnvKeys(g, pathIn(g, params['file']), strings(params['keys']));
    case 'generate_secret':
      return lookAtEnvKeys(g, pathIn(g, params['file']), strings([params['name'] ?? null]));
    case 'make_directory':
      return lookAtDirectory(g, pathIn(g, params['path']));
    case 'restore_permissions':
      return lookAtPermissions(g, pathIn(g, params['path']), params);
    case 'remove_stale_lock':
      return lookAtLock(g, pathIn(g, params['path']), typeof params['expect'] === 'string' ? params['expect'] : '');
    case 'remove_stale_socket':
      return lookAtSocket(g, pathIn(g, params['path']));
    case 'run_project_script':
      return lookAtBuild(g, pathIn(g, params['makes']));
    case 'generate_client':
      return lookAtGenerated(g, pathIn(g, params['directory']) ?? g.component.cwd);
    case 'free_port':
      return lookAtPort(g, Number(params['port']), ['own_stale']);
    case 'wait_for_port':
      return lookAtPort(g, Number(params['port']), ['own_stale', 'own_other', 'foreign']);
    case 'wait_for_dependency':
      return lookAtAddress(g, textIn(params['host']), Number(params['port']));
    case 'install_packages':
      return lookAtPackages(g, pathIn(g, params['directory']) ?? g.component.cwd);
    case 'rebuild_packages':
      return lookAtRuntime(g);
    case 'relink_interpreter':
      return lookAtInterpreter(g, pathIn(g, params['directory']));
    case 'run_migrations':
    case 'record_migrations':
    case 'restore_tables':
    case 'restore_columns':
      return lookAtSchema(g, step);
    case 'set_env_override':
      return lookAtVariable(g, textIn(params['name']), textIn(params['value']));
    case 'free_disk_space':
      return lookAtDisk(g, pathIn(g, params['path']));
    case 'raise_heap_limit':
    case 'raise_open_files':
      return lookAtLimit(g);
    case 'skip_component':
      return lookAtCommand(g);
    default:
      return null;
  }
}

/** @param from   what it is made from, where that is not its last good copy */
async function lookAtFile(g: GuardCase, path: string | null, from: string | null): Promise<Sight | null> {
  if (path === null) return null;
  const shown = shownPath(g.component, path);
  if (driftAt(g, path, 'changed')?.isBroken)
    return { message: `${shown} cannot be read any more; its last good copy can`, hint: `compare ${shown} with its last good copy` };
  const isThere = (await g.files.stat(path)) !== null && (await g.files.realpath(path)) !== null;
  const hasSource = from !== null && (await g.files.stat(from)) !== null;
  if (isThere || !(hasSource || canBringBack(await g.lastGood.entry(g.component.name, path)))) return null;
  return { message: `${shown} is missing again`, hint: `put ${shown} back; find out what removes it` };
}

/** What was made because it was missing. */
async function lookAtWritten(g: GuardCase, path: string | null): Promise<Sight | null> {
  if (path === null || (await g.files.stat(path)) !== null) return null;
  const shown = shownPath(g.component, path);
  return { message: `${shown} is missing again`, hint: `add ${shown} to what is deployed` };
}

/** The very content that could not be read; a corrected file is welcome. */
async function lookAtDropIn(g: GuardCase, path: string | null, digest: string): Promise<Sight | null> {
  const content = path === null ? null : await g.files.read(path);
  if (path === null || content === null || sha256Hex(content) !== digest) return null;
  const shown = shownPath(g.component, path);
  return { message: `${shown} is there again, and still cannot be read`, hint: `correct ${shown}` };
}

async function lookAtEnvFile(g: GuardCase, file: string | null): Promise<Sight | null> {
  if (file === null || (await g.files.stat(file)) !== null || (await exampleOf(g.files, file)) === null) return null;
  const shown = shownPath(g.component, file);
  return { message: `${shown} is missing again`, hint: `copy the example to ${shown} and fill in what is empty` };
}

async function lookAtEnvKeys(g: GuardCase, file: string | null, keys: readonly string[]): Promise<Sight | null> {
  if (file === null) return null;
  const content = await g.files.readText(file);
  const present = new Set(
    envKeysOf(content ?? '')
      .filter((k) => k.value !== '')
      .map((k) => k.key),
  );
  const gone = keys.filter((key) => !present.has(key) && !g.env[key]);
  if (gone.length === 0) return null;
  return {
    message: `${gone.join(', ')} ${gone.length === 1 ? 'is' : 'are'} not set in ${shownPath(g.component, file)}`,
    hint: `set ${gone.join(', ')}`,
  };
}

async function lookAtDirectory(g: GuardCase, path: string | null): Promise<Sight | null> {
  if (path === null || (await g.files.stat(path)) !== null) return null;
  const shown = shownPath(g.component, path);
  return { message: `the directory ${shown} is missing again`, hint: `create ${shown}; find out what removes it` };
}

async function lookAtPermissions(g: GuardCase, path: string | null, params: JsonObject): Promise<Sight | null> {
  const stat = path === null ? null : await g.files.stat(path);
  if (path === null || stat === null) return null;
  const shown = shownPath(g.component, path);
  const hint = `give ${shown} its owner and mode back`;
  const drift = driftAt(g, path, 'owner', 'mode');
  if (drift !== null) return { message: drift.message, hint };
  if (typeof params['uid'] === 'number' && stat.uid !== params['uid'])
    return { message: `${shown} belongs to ${await g.host.userName(stat.uid)} again`, hint };
  if (typeof params['gid'] === 'number' && stat.gid !== params['gid']) return { message: `${shown} belongs to another group again`, hint };
  if (typeof params['mode'] === 'number' && stat.mode !== params['mode'])
    return { message: `${shown} has mode ${stat.mode.toString(8)} again`, hint };
  return null;
}

async function lookAtLock(g: GuardCase, path: string | null, expect: string): Promise<Sight | null> {
  if (path === null || (await g.files.stat(path)) === null) return null;
  const pid = await lockPid(g.files, path);
  if (pid === null || !(await isStaleLock(g.host, pid, expect, g.component))) return null;
  return {
    message: `${shownPath(g.component, path)} is left over from process ${pid}, which is gone`,
    hint: 'remove it once nothing uses it',
  };
}

async function lookAtSocket(g: GuardCase, path: string | null): Promise<Sight | null> {
  if (path === null || (await g.files.stat(path))?.kind !== 'socket' || (await g.host.socketAnswers(path)) !== false) return null;
  return {
    message: `the socket ${shownPath(g.component, path)} is left over, nobody listens there`,
    hint: 'remove it once nobody uses it',
  };
}

async function lookAtBuild(g: GuardCase, path: string | null): Promise<Sight | null> {
  if (path === null || (await g.files.stat(path)) !== null) return null;
  const shown = shownPath(g.component, path);
  return { message: `${shown} is missing again: its build has not run`, hint: 'run the build, or deploy what it makes' };
}

/** Prisma installs a stub that says so until its code is generated. */
async function lookAtGenerated(g: GuardCase, directory: string): Promise<Sight | null> {
  const client = join(directory, 'node_modules', '.prisma', 'client');
  const stub =
    (await g.files.readText(join(client, 'default.js'), STUB_BYTES_MAX)) ??
    (await g.files.readText(join(client, 'index.js'), STUB_BYTES_MAX));
  if (stub !== null && !stub.includes('did not initialize yet')) return null;
  return { message: 'the code of @prisma/client is not generated again', hint: 'run prisma generate after every install' };
}

const STUB_BYTES_MAX = 16 * 1024;

async function lookAtPort(g: GuardCase, port: number, relations: readonly string[]): Promise<Sight | null> {
  if (!Number.isInteger(port)) return null;
  const holder = await g.host.portHolder(port, g.component.name);
  if (holder === null || !relations.includes(holder.relation)) return null;
  const who = holder.relation === 'own_stale' ? `an old copy of ${g.component.name}` : holder.command;
  return {
    message: `port ${port} is in use by ${who} (pid ${holder.pid})`,
    hint: `end pid ${holder.pid} or give ${g.component.name} another port`,
  };
}

async function lookAtAddress(g: GuardCase, host: string, port: number): Promise<Sight | null> {
  if (!Number.isInteger(port) || (await g.host.canConnect(host, port))) return null;
  return { message: `nothing answers at ${host}:${port}`, hint: `start what listens at ${host}:${port}` };
}

async function lookAtPackages(g: GuardCase, directory: string): Promise<Sight | null> {
  const { missing, damaged } = await g.host.packages(directory);
  const names = [...missing, ...damaged];
  if (names.length === 0) return null;
  return {
    message: `${listed(names)} ${missing.length > 0 ? 'not installed' : 'damaged'} again`,
    hint: 'install the packages of the lock file',
  };
}

async function lookAtInterpreter(g: GuardCase, directory: string | null): Promise<Sight | null> {
  for (const name of ['python3', 'python']) {
    const path = directory === null ? null : join(directory, 'bin', name);
    if (path === null || (await g.files.stat(path))?.kind !== 'symlink' || (await g.files.realpath(path)) !== null) continue;
    return { message: `${shownPath(g.component, path)} leads to nothing again`, hint: 'make the virtual environment anew' };
  }
  return null;
}

async function lookAtRuntime(g: GuardCase): Promise<Sight | null> {
  const runtime = g.drift.find((d) => d.kind === 'runtime');
  return runtime
    ? { message: `${runtime.message}: native packages were built for the other one`, hint: 'rebuild native packages', severity: 'warn' }
    : null;
}

async function lookAtSchema(g: GuardCase, step: RemedyStep): Promise<Sight | null> {
  const schema = await g.host.schemaDrift(g.component.name);
  if (schema === null) return null;
  const wrong = {
    run_migrations: schema.pendingMigrations,
    record_migrations: schema.unrecordedMigrations.filter((m) => strings(step.params['migrations']).includes(m)),
    restore_tables: schema.missingTables.filter((t) => strings(step.params['tables']).includes(t)),
    restore_columns: schema.missingColumns.filter((c) => strings(step.params['columns']).includes(c)),
  }[step.primitive];
  if (wrong === undefined || wrong.length === 0) return null;
  const what =
    { run_migrations: 'pending', record_migrations: 'not recorded', restore_tables: 'missing', restore_columns: 'missing' }[
      step.primitive
    ] ?? 'wrong';
  return { message: `${listed(wrong)} ${wrong.length === 1 ? 'is' : 'are'} ${what} again`, hint: 'bring the schema up to date' };
}

async function lookAtVariable(g: GuardCase, name: string, value: string): Promise<Sight | null> {
  if (g.env[name] === value) return null;
  return { message: `${name} is not set as it was learned`, hint: `set ${name}=${value}`, severity: 'warn' };
}

async function lookAtDisk(g: GuardCase, path: string | null): Promise<Sight | null> {
  if (path === null) return null;
  for (const mount of [path, ...(await mountsOf(g.host, g.component)).filter((m) => isBelow(g.component.cwd, m))]) {
    const room = await g.files.diskRoom(mount);
    if (room !== null && isFull(room))
      return { message: `the disk at ${mount} is full again (${room.freeBytes} bytes left)`, hint: `make room at ${mount}` };
  }
  return null;
}

async function lookAtLimit(g: GuardCase): Promise<Sight | null> {
  const limit = g.drift.find((d) => d.kind === 'limit');
  return limit ? { message: limit.message, hint: 'set the limit back to what was learned', severity: 'warn' } : null;
}

async function lookAtCommand(g: GuardCase): Promise<Sight | null> {
  const command = g.component.command[0];
  if (command === undefined || !g.component.optional) return null;
  const isThere = isAbsolute(command)
    ? (await g.files.stat(command)) !== null
    : command.includes('/')
      ? (await g.files.stat(join(g.component.cwd, command))) !== null
      : (await g.host.findCommand(command, g.env['PATH'] ?? '')) !== null;
  return isThere ? null : { message: `${command} is not installed`, hint: `install ${command}`, severity: 'warn' };
}

function pathIn(g: GuardCase, value: Json | undefined): string | null {
  return typeof value === 'string' ? absolutePath(g.component, value) : null;
}

function textIn(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function strings(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function listed(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}
