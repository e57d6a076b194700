import {
  AUDIT_ACTIONS,
  leafHash,
  parseCheckpoint,
  parseNote,
  type AuditAction,
  type AuditEntry,
  type AuditReader,
} from '../../domains/audit/index.ts';
import type { Answer } from './answer.ts';
import { harmless, readEntry } from './audit-list.ts';
import type { AuditSource } from './audit-source.ts';
import { NotKnown } from './errors.ts';
import { paint, table } from './terminal.ts';

/**
 * `grace audit show N`: one entry with its payload.
 * @param isRaw   nothing but its bytes, as they were hashed, and a line feed: as the lines of entries.jsonl are
 * @throws NotKnown
 */
export async function showEntry({ reader }: AuditSource, index: number, isRaw: boolean): Promise<Answer> {
  const size = await reader.size();
  const [stored] = index < size ? await firstOf(reader, index) : [];
  if (stored === undefined)
    throw new NotKnown('entry', String(index), size === 0 ? 'the log has no entries yet' : `the log has ${size} entries, 0 to ${size - 1}`);
  const one = readEntry(stored, index);
  const leaf = Buffer.from(stored instanceof Uint8Array ? leafHash(stored) : stored.leafHash).toString('base64');
  const covered = await isCovered(reader, index);
  const data = { sequence: index, leaf_hash: leaf, covered, state: one.state, entry: one.state === 'entry' ? one.entry : null };
  if (one.state !== 'entry')
    return {
      exitCode: one.state === 'dropped' && !isRaw ? 0 : 1,
      data,
      lines: [
        one.state === 'dropped'
          ? `entry ${index}: only its hash is left, ${leaf}; its contents are gone; grace audit verify says when it was not the retention policy that dropped them`
          : `${paint('red', 'not readable')}: entry ${index} is none that Grace wrote; see grace audit verify`,
      ],
    };
  const raw = Buffer.from(stored as Uint8Array).toString('utf8');
  return { exitCode: 0, data, lines: isRaw ? [raw] : linesOf(index, one.entry, leaf, covered) };
}

async function firstOf(reader: AuditReader, index: number) {
  for await (const batch of reader.entries(index, index + 1)) return batch;
  return [];
}

/** Whether a signed head covers it; the signature is for `verify` to check. */
async function isCovered(reader: AuditReader, index: number): Promise<boolean> {
  const note = await reader.latestCheckpoint();
  if (note === null) return false;
  try {
    return parseCheckpoint(parseNote(note).text).size > index;
  } catch {
    return false; // One that can not be read covers nothing; verify says what is wrong with it.
  }
}

function linesOf(index: number, entry: AuditEntry, leaf: string, covered: boolean): readonly string[] {
  const { timestamp, actor, action, resource, subsystem, result, payload } = entry;
  const means = Object.hasOwn(AUDIT_ACTIONS, action) ? AUDIT_ACTIONS[action as AuditAction] : '';
  return [
    table(
      [
        ['entry', String(index)],
        ['time', timestamp],
        ['action', means === '' ? action : `${action}: ${means}`],
        ['resource', resource],
        ['result', result],
        ['actor', actor],
        ['subsystem', subsystem],
        ['hash', covered ? leaf : `${leaf}, which no signed head covers yet`],
      ].map(([name = '', text = '']) => [paint('dim', name), harmless(text)]),
    ),
    ...JSON.stringify(payload, null, 2).split('\n').map(harmless),
  ];
}
