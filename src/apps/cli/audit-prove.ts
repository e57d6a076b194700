import {
  consistencyProof,
  formatConsistencyProof,
  formatInclusionProof,
  formatVerifierKey,
  inclusionProof,
  parseCheckpoint,
  parseNote,
  type AuditReader,
} from '../../domains/audit/index.ts';
import { writeExport } from '../../adapters/audit-export/index.ts';
import type { Answer } from './answer.ts';
import { keyOf, type AuditSource } from './audit-source.ts';
import { AuditCheckpointMissing, NotKnown } from './errors.ts';

/** A `.tlog-proof`: that entry `index` is in the log. */
export async function proveEntry({ reader }: AuditSource, index: number): Promise<Answer> {
  const { note, size } = await newestHead(reader);
  if (index >= size) throw new NotKnown('entry', String(index), `the signed log has ${size} entries, from 0 on`);
  const hashes = await inclusionProof(index, size, (level, at) => reader.node(level, at));
  const proof = formatInclusionProof({ index, hashes, checkpoint: note });
  return answerOf({ index, size, proof, hashes: hashes.map(base64) }, proof);
}

/** That the log of `newer` entries begins with the log of `older`. @param newer   null: the newest head */
export async function proveConsistency({ reader }: AuditSource, older: number, newer: number | null): Promise<Answer> {
  const { note, size } = newer === null ? await newestHead(reader) : await headOf(reader, newer);
  if (older > size) throw new NotKnown('older size', String(older), `the signed log has ${size} entries`);
  const hashes = await consistencyProof(older, size, (level, at) => reader.node(level, at));
  const proof = formatConsistencyProof({ olderSize: older, hashes, checkpoint: note });
  return answerOf({ older, newer: size, proof, hashes: hashes.map(base64) }, proof);
}

/** The signed head, to be kept elsewhere. */
export async function showCheckpoint({ reader }: AuditSource): Promise<Answer> {
  const { note, size } = await newestHead(reader);
  const { origin, root } = parseCheckpoint(parseNote(note).text);
  return answerOf({ origin, size, root: base64(root), checkpoint: note }, note);
}

/** Writes what an independent verifier needs. */
export async function exportAudit({ reader }: AuditSource, dir: string, withTiles: boolean): Promise<Answer> {
  const { note, size } = await newestHead(reader);
  const { key } = await keyOf(reader, undefined);
  const { dropped } = await writeExport(reader, { dir, checkpoint: note, size, vkey: formatVerifierKey(key), withTiles });
  return {
    exitCode: 0,
    data: { dir, size, tiles: withTiles, dropped },
    lines: [
      `${size} entries, their signed checkpoint and its key are in ${dir}`,
      ...(dropped === 0 ? [] : [`of ${dropped} only the hash is left, in leaf-hashes: they were dropped under the retention policy`]),
      `check them with: grace audit verify --dir ${dir}`,
    ],
  };
}

function answerOf(data: unknown, text: string): Answer {
  return { exitCode: 0, data, lines: text.slice(0, -1).split('\n') };
}

const base64 = (hash: Uint8Array): string => Buffer.from(hash).toString('base64');

interface Head {
  readonly note: string;
  readonly size: number;
}

async function newestHead(reader: AuditReader): Promise<Head> {
  const note = await reader.latestCheckpoint();
  if (note === null) throw new AuditCheckpointMissing(null);
  return { note, size: parseCheckpoint(parseNote(note).text).size };
}

async function headOf(reader: AuditReader, size: number): Promise<Head> {
  for await (const note of reader.checkpoints()) if (parseCheckpoint(parseNote(note).text).size === size) return { note, size };
  throw new AuditCheckpointMissing(size);
}
