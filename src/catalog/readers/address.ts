import type { Draft } from './rule.ts';

/** `127.0.0.1:5432`, `:::3000`, `[::1]:80`, `*:8080`, `/run/app.sock`. */
export interface Address {
  readonly host: string;
  /** Empty for a socket file. */
  readonly port: string;
}

export function addressOf(text: string): Address {
  const trimmed = text.replace(/[,;)\]}"'.]{1,3}$/, '');
  const colon = trimmed.lastIndexOf(':');
  const port = trimmed.slice(colon + 1);
  if (colon < 0 || !/^\d{1,5}$/.test(port)) return { host: trimmed, port: '' };
  return { host: trimmed.slice(0, colon).replace(/^\[|\]$/g, ''), port };
}

/** Somebody else listens there. A socket file is held like a lock: it can be left behind by a dead process. */
export function inUse(address: string, code: string): Draft {
  const { host, port } = addressOf(address);
  if (port === '' && host.includes('/')) return { kind: 'lock_held', subject: host, code, details: { socket: true } };
  return { kind: 'port_in_use', subject: port, code, details: host === '' ? {} : { address: host } };
}

export function refused(address: string, code: string): Draft {
  const { host, port } = addressOf(address);
  if (port === '') return { kind: 'connection_refused', subject: host, code, details: {} };
  return { kind: 'connection_refused', subject: `${host}:${port}`, code, details: { host, port: Number(port) } };
}
