import { basename } from 'node:path';
import type { Files } from '../../kernel/index.ts';
import type { HostView } from '../../domains/playbooks/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';

/** The pid a lock names in its first line; null when it names none. */
export async function lockPid(files: Files, path: string): Promise<number | null> {
  const content = await files.readText(path, 256);
  const pid = Number(/^\s*(\d{1,10})\b/.exec(content ?? '')?.[1] ?? Number.NaN);
  return Number.isInteger(pid) && pid > 0 ? pid : null;
}

/** Stale: its process is gone, or the pid is another program's by now. */
export async function isStaleLock(host: HostView, pid: number, expect: string): Promise<boolean> {
  const process = await host.process(pid);
  if (process === null) return true;
  if (expect === '') return false;
  const names = [process.command, ...process.argv.slice(0, 2).map((word) => basename(word))];
  return !names.some((name) => name.startsWith(expect.slice(0, 15)) || name.includes(expect));
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
