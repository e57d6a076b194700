import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { LogTorn, type AuditEntry, type AuditReader, type StoredEntry } from '../../domains/audit/index.ts';
import type { Answer } from './answer.ts';
import type { AuditSource } from './audit-source.ts';
import { fitted, out, paint } from './terminal.ts';

/** What is asked for; a star stands for any text. Moments are milliseconds. */
export interface AuditFilter {
  readonly actor?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly subsystem?: string;
  readonly result?: string;
  readonly sinceMs?: number;
  readonly untilMs?: number;
}

export interface AuditPage {
  readonly limit: number;
  /** Only entries before this one: how a further page is asked for. */
  readonly before?: number;
}

const NAMES = ['actor', 'action', 'resource', 'subsystem', 'result'] as const;
/** Entries are read backwards in pieces of so many. */
const PIECE = 256;
const LOOK_EVERY_MS = 500;

/** The newest entries that fit, oldest of them first. */
export async function listAudit({ reader }: AuditSource, filter: AuditFilter, { limit, before }: AuditPage): Promise<Answer> {
  const size = await reader.size();
  const found = await newest(reader, filter, limit + 1, Math.min(before ?? size, size));
  const page = found.slice(-limit);
  const older = found.length > limit ? (page[0]?.place ?? null) : null;
  return {
    exitCode: 0,
    data: { size, entries: page.map(dataOf), before: older },
    lines:
      page.length === 0
        ? [size === 0 ? 'no entries yet' : `none of the ${size} entries fits; texts are compared whole, and * stands for any text`]
        : [
            fitted(page.map(row)),
            paint(
              'dim',
              [...(older === null ? [] : [`older ones: --before ${older}`]), 'all that one says: grace audit show N'].join('; '),
            ),
          ],
  };
}

/** The last ones that fit, of those before this place; `limit` of them or more, where there are as many. */
async function newest(
  reader: AuditReader,
  filter: AuditFilter,
  limit: number,
  before: number,
  signal: AbortSignal | null = null,
): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  let to = before;
  while (to > 0 && found.length < limit) {
    const from = Math.max(0, to - PIECE);
    const piece: Listed[] = [];
    let place = from;
    for await (const batch of reader.entries(from, to))
      for (const stored of batch) {
        const one = readEntry(stored, place++);
        if (fits(one, filter)) piece.push(one);
      }
    found.unshift(...piece);
    to = from;
    // Reading the store never waits: without this Ctrl-C would not be heard.
    if (signal !== null) await setImmediate();
    if (signal?.aborted === true) break;
  }
  return found;
}

/** Prints the newest that fit, and those that come, until the signal. @param limit   how many of those that are there */
export async function followAudit(
  { reader }: AuditSource,
  filter: AuditFilter,
  limit: number,
  asJson: boolean,
  signal: AbortSignal,
  print: (line: string) => void = out,
): Promise<void> {
  let place = await reader.size();
  const there = (await newest(reader, filter, limit, place, signal)).slice(-limit);
  if (asJson) for (const one of there) print(JSON.stringify(dataOf(one)));
  else if (there.length > 0) print(fitted(there.map(row)));
  while (!signal.aborted) {
    try {
      for await (const batch of reader.entries(place, Infinity)) {
        if (signal.aborted) return;
        for (const stored of batch) {
          const one = readEntry(stored, place++);
          if (fits(one, filter)) print(asJson ? JSON.stringify(dataOf(one)) : row(one).join('  '));
        }
      }
    } catch (error) {
      // Its end is being written: the next look finds it whole.
      if (!(error instanceof LogTorn)) throw error;
    }
    try {
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    } catch {
      return; // The signal is how following ends.
    }
  }
}

type Listed =
  | { readonly state: 'entry'; readonly place: number; readonly entry: AuditEntry }
  | { readonly state: 'dropped'; readonly place: number }
  | { readonly state: 'unreadable'; readonly place: number };

export function readEntry(stored: StoredEntry, place: number): Listed {
  if (!(stored instanceof Uint8Array)) return { state: 'dropped', place };
  try {
    const entry = JSON.parse(Buffer.from(stored).toString('utf8')) as AuditEntry;
    if ([...NAMES, 'timestamp' as const].every((name) => typeof entry[name] === 'string')) return { state: 'entry', place, entry };
  } catch {
    // It is listed as what it is: grace audit verify says more.
  }
  return { state: 'unreadable', place };
}

function fits(one: Listed, filter: AuditFilter): boolean {
  const { sinceMs = -Infinity, untilMs = Infinity } = filter;
  // Of an entry that says nothing nobody knows whether it fits.
  if (one.state !== 'entry') return NAMES.every((name) => filter[name] === undefined) && sinceMs === -Infinity && untilMs === Infinity;
  const atMs = Date.parse(one.entry.timestamp);
  return atMs >= sinceMs && atMs < untilMs && NAMES.every((name) => matches(one.entry[name], filter[name]));
}

/** A star stands for any text; looked for piece by piece, so that no pattern takes long. */
function matches(text: string, pattern: string | undefined): boolean {
  if (pattern === undefined) return true;
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

function dataOf(one: Listed): unknown {
  return one.state === 'entry' ? one.entry : { sequence: one.place, [one.state]: true };
}

function row(one: Listed): readonly string[] {
  if (one.state === 'dropped') return [String(one.place), paint('dim', 'only its hash is left: see grace audit verify')];
  if (one.state === 'unreadable') return [String(one.place), paint('red', 'not readable: see grace audit verify')];
  const { timestamp, actor, action, resource, subsystem, result } = one.entry;
  return [String(one.place), timestamp, action, resource, result, actor, subsystem].map(harmless);
}

/** Texts in the log come from anywhere; a terminal obeys none of them, nor shows one backwards, as if it were another. */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, '\ufffd');
}
