import type { CaseFile } from '../../domains/learning/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where a component answers: its TCP probe, its HTTP probe, or its port. */
export function addressOf(component: ComponentSpec): Address | null {
  for (const probe of [component.readiness, component.startup, component.liveness]) {
    if (probe?.target.kind === 'tcp') return { host: probe.target.host, port: probe.target.port };
    if (probe?.target.kind === 'http' && URL.canParse(probe.target.url)) {
      const url = new URL(probe.target.url);
      return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)) };
    }
  }
  return component.port === null ? null : { host: component.host, port: component.port };
}

/** `127.0.0.1:5432`, `[::1]:5432`, `db`; null without a port. */
export function parseAddress(subject: string): Address | null {
  const match = /^(?:\[([^\]]+)\]|(.*)):(\d{1,5})$/.exec(subject.trim());
  const host = match?.[1] ?? match?.[2];
  return match === null || host === undefined ? null : { host: host || 'localhost', port: Number(match[3]) };
}

/** The component that should answer at an address. */
export function componentAt(c: CaseFile, address: Address): ComponentSpec | null {
  return (
    c.components.find((component) => {
      const own = addressOf(component);
      return own !== null && own.port === address.port && isSameHost(own.host, address.host);
    }) ?? null
  );
}

export function isSameHost(a: string, b: string): boolean {
  return a === b || (isLocal(a) && isLocal(b));
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host.startsWith('127.') || host === '::1' || host === '0.0.0.0' || host === '::' || host === '';
}
