import { invariant } from '../../kernel/index.ts';

/** Where a probe connects to reach something that listens on `host`: "every address" is none to connect to. */
export function probeHost(host: string): string {
  if (host === '0.0.0.0' || host === '*') return '127.0.0.1';
  return host === '::' || host === '[::]' ? '::1' : host.replace(/^\[(.*)\]$/, '$1');
}

/** `http://127.0.0.1:3000/ready`; IPv6 hosts in brackets. */
export function urlOn(host: string, port: number | null, path: string): string {
  invariant(port !== null, 'validation refuses HTTP paths where no port is known');
  const name = probeHost(host);
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}${path}`;
}

/** `db.internal:5432`, `[::1]:5432`. */
export function readHostAndPort(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  invariant(match, 'validation refuses what is not host:port');
  return { host: match[1] ?? match[2] ?? '', port: Number(match[3]) };
}
