import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { allPids } from './proc.ts';

const LISTEN = '0A';

interface ListenSocket {
  readonly port: number;
  readonly inode: string;
}

/** Every listening TCP socket, IPv4 and IPv6. @see proc_net_tcp in the kernel's documentation */
function listeningSockets(): readonly ListenSocket[] {
  const sockets: ListenSocket[] = [];
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    let text: string;
    try {
      text = readFileSync(file, 'latin1');
    } catch {
      continue; // no IPv6 on this machine
    }
    for (const line of text.split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] !== LISTEN) continue;
      sockets.push({ port: Number.parseInt(fields[1]?.split(':').at(-1) ?? '0', 16), inode: fields[9] ?? '' });
    }
  }
  return sockets;
}

function socketInodes(pid: number): readonly string[] {
  const inodes: string[] = [];
  let names: string[];
  try {
    names = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return inodes; // gone, or another user's
  }
  for (const name of names) {
    try {
      const link = readlinkSync(`/proc/${pid}/fd/${name}`);
      if (link.startsWith('socket:[')) inodes.push(link.slice(8, -1));
    } catch {
      // closed meanwhile
    }
  }
  return inodes;
}

/** Pids that listen on a port; `likely` are looked at first, since usually it is one of them. Empty: nobody we can see. */
export function pidsListeningOn(port: number, likely: readonly number[] = []): readonly number[] {
  const wanted = new Set(
    listeningSockets()
      .filter((s) => s.port === port)
      .map((s) => s.inode),
  );
  if (wanted.size === 0) return [];
  const holds = (pid: number): boolean => socketInodes(pid).some((inode) => wanted.has(inode));
  const found = likely.filter(holds);
  return found.length > 0 ? found : allPids().filter(holds);
}

/** Ports on which one of these processes listens, ascending. */
export function portsOf(pids: readonly number[]): readonly number[] {
  const sockets = listeningSockets();
  if (sockets.length === 0) return [];
  const inodes = new Set(pids.flatMap(socketInodes));
  return [...new Set(sockets.filter((s) => inodes.has(s.inode)).map((s) => s.port))].toSorted((a, b) => a - b);
}

/**
 * Whether a listener could be opened there now. Asked by opening one: the kernel's list of sockets takes it several
 * milliseconds to write, a bind a few hundredths of one.
 */
export function isPortFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
