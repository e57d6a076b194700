import type { CaseFile } from '../../domains/learning/index.ts';
import { beforeAndNow } from './before-and-now.ts';

/** The ports on which it listens when it does not listen where it is expected; empty otherwise. */
export function listensElsewhere(c: Pick<CaseFile, 'component' | 'failure'>): readonly number[] {
  const { listens } = c.failure.context;
  if (c.component.port === null || c.failure.symptom !== 'not_ready' || !Array.isArray(listens)) return [];
  const ports = listens.filter((port): port is number => typeof port === 'number');
  return ports.includes(c.component.port) ? [] : ports;
}

/** Settings that named the expected port at the last good boot and do not now: that is why it listens elsewhere. */
export async function movedPort(c: CaseFile, path: string): Promise<boolean> {
  const ports = listensElsewhere(c);
  if (ports.length === 0) return false;
  const versions = await beforeAndNow(c, path);
  if (versions === null) return false;
  const { before, now } = versions;
  const names = (text: string, port: number): boolean => new RegExp(`(?<!\\d)${port}(?!\\d)`).test(text);
  const expected = c.component.port ?? 0;
  return (names(before, expected) && !names(now, expected)) || ports.some((port) => names(now, port) && !names(before, port));
}
