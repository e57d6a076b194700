import { basename } from 'node:path';
import type { Files } from '../../kernel/index.ts';
import type { RunningProcess } from '../../domains/preflight/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { isBelow } from './places.ts';

/** The pid that a lock names: in its text, in the pid file inside a lock directory, at the end of a link's target. */
export async function lockPid(files: Files, path: string): Promise<number | null> {
  const stat = await files.stat(path);
  const content =
    stat?.kind === 'symlink'
      ? await files.readLink(path)
      : stat?.kind === 'directory'
        ? await files.readText(`${path}/pid`, LOCK_BYTES_MAX)
        : stat?.kind === 'file'
          ? await files.readText(path, LOCK_BYTES_MAX)
          : null;
  const said = (content ?? '').trim();
  const found =
    /^(\d{1,10})\b/.exec(said) ??
    /\bpid\b\W{0,4}(\d{1,10})\b/i.exec(said) ??
    (said.includes('\n') ? null : /[.-](\d{1,10})(?::\d+)?$/.exec(said));
  const pid = Number(found?.[1] ?? 0);
  return pid > 0 ? pid : null;
}

const LOCK_BYTES_MAX = 1024;

interface ProcessSource {
  process(pid: number): Promise<RunningProcess | null>;
}

/** Stale: its process is gone, or the pid is another program's by now, which has nothing to do with the component. */
export async function isStaleLock(host: ProcessSource, pid: number, expect: string, component: ComponentSpec): Promise<boolean> {
  const process = await host.process(pid);
  if (process === null || /^[ZX]/i.test(process.state)) return true;
  const { cwd } = process;
  if (
    component.roots.some(
      (root) => (cwd !== null && isBelow(root, cwd)) || (root !== '/' && process.argv.some((word) => word.includes(root))),
    )
  )
    return false;
  if (expect === '') return false;
  const names = [process.command, ...process.argv.slice(0, 3).map((word) => basename(word))];
  return !names.some((name) => name.includes(expect) || (name.length >= 15 && expect.startsWith(name)));
}

/** Which program such a lock belongs to, by its name; otherwise the one that the component starts. */
export function expectedProgram(path: string, component: ComponentSpec): string {
  const name = basename(path).toLowerCase();
  if (name === 'postmaster.pid' || name.startsWith('.s.pgsql')) return 'postgres';
  if (name.includes('redis')) return 'redis-server';
  if (name.includes('mysql') || name.includes('mariadb')) return 'mysqld';
  if (name === 'mongod.lock') return 'mongod';
  if (name.includes('nginx')) return 'nginx';
  if (/(?:^|\/)tmp\/pids\/server\.pid$/.test(path)) return 'ruby';
  return basename(component.command[0] ?? '');
}
