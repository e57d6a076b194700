import {
  appendLeaf,
  areEqual,
  checkNote,
  consistencyProof,
  EMPTY_FRONTIER,
  formatConsistencyProof,
  formatInclusionProof,
  formatVerifierKey,
  frontierAt,
  frontierRoot,
  inclusionProof,
  leafHash,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  verifyConsistency,
  verifyInclusion,
  type AuditReader,
  type Checkpoint,
  type Hash,
  type SignedNote,
} from '../../domains/audit/index.ts';
import { writeExport } from '../../adapters/audit-export/index.ts';
import type { Answer } from './answer.ts';
import { keyOf, type AuditSource } from './audit-source.ts';
import { AuditCheckpointMissing, AuditProofRefused, NotKnown } from './errors.ts';
import { messageOf } from '../../kernel/index.ts';

/** A `.tlog-proof`: that entry `index` is in the log. @throws AuditProofRefused */
export async function proveEntry(source: AuditSource, index: number): Promise<Answer> {
  const { reader } = source;
  const { note, size, root } = await newestHead(source);
  if (index >= size) throw new NotKnown('entry', String(index), `the signed log has ${size} entries, from 0 on`);
  const hashes = await inclusionProof(index, size, (level, at) => reader.node(level, at));
  if (!verifyInclusion(await leafAt(reader, index), index, size, hashes, root))
    throw new AuditProofRefused(`entry ${index} and the hashes that are kept do not lead to the root of the checkpoint of ${size} entries`);
  const proof = formatInclusionProof({ index, hashes, checkpoint: note });
  return answerOf({ index, size, proof, hashes: hashes.map(base64) }, proof);
}

/** That the log of `newer` entries begins with the log of `older`. @param newer   null: the newest head @throws AuditProofRefused */
export async function proveConsistency(source: AuditSource, older: number, newer: number | null): Promise<Answer> {
  const { reader } = source;
  const { note, size, root } = newer === null ? await newestHead(source) : await headOf(source, newer);
  if (older > size) throw new NotKnown('older size', String(older), `the signed log has ${size} entries`);
  const hashes = await consistencyProof(older, size, (level, at) => reader.node(level, at));
  // From nothing anything goes on; from any other size the hashes have to lead to both roots.
  if (older > 0 && !verifyConsistency({ size: older, root: await rootAt(reader, older) }, { size, root }, hashes))
    throw new AuditProofRefused(`the hashes that are kept do not lead from ${older} entries to the root of the checkpoint of ${size}`);
  const proof = formatConsistencyProof({ olderSize: older, hashes, checkpoint: note });
  return answerOf({ older, newer: size, proof, hashes: hashes.map(base64) }, proof);
}

/** The signed head, to be kept elsewhere. @throws AuditProofRefused */
export async function showCheckpoint(source: AuditSource): Promise<Answer> {
  const { note, size, root, origin } = await newestHead(source);
  return answerOf({ origin, size, root: base64(root), checkpoint: note }, note);
}

/** Writes what an independent verifier needs. @throws AuditProofRefused, AuditExportRefused */
export async function exportAudit(source: AuditSource, dir: string, withTiles: boolean): Promise<Answer> {
  const { reader } = source;
  const newest = async () => {
    const { note, size } = await newestHead(source);
    return { checkpoint: note, size };
  };
  const signed = await newestHead(source);
  const { key } = await keyOf(reader, undefined);
  if (!areEqual(await rootOfEntries(reader, signed.size), signed.root))
    throw new AuditProofRefused(`the first ${signed.size} entries do not hash to the root of the newest checkpoint`);
  const { size, dropped } = await writeExport(reader, {
    dir,
    checkpoint: signed.note,
    size: signed.size,
    newest,
    vkey: formatVerifierKey(key),
    withTiles,
  });
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

interface Head extends Checkpoint {
  readonly note: string;
}

async function newestHead(source: AuditSource): Promise<Head> {
  const note = await source.reader.latestCheckpoint();
  if (note === null) throw new AuditCheckpointMissing(null, [], source.exported?.dir ?? null);
  return checkedHead(source, note, null);
}

async function headOf(source: AuditSource, size: number): Promise<Head> {
  const near: { before?: number; after?: number } = {};
  for await (const stored of source.reader.checkpoints()) {
    if (stored.size === size) return checkedHead(source, stored.note, size);
    if (stored.size < size) near.before = stored.size;
    else near.after ??= stored.size;
  }
  throw new AuditCheckpointMissing(
    size,
    [near.before, near.after].filter((one) => one !== undefined),
  );
}

/** What is handed out has to hold: signed by a key of the log, and of the tree that is kept. @param filed   its size, as far as that is known */
async function checkedHead({ reader, exported }: AuditSource, text: string, filed: number | null): Promise<Head> {
  const name = filed === null ? 'the newest checkpoint' : `the checkpoint of ${filed} entries`;
  let note: SignedNote;
  let checkpoint: Checkpoint;
  try {
    note = parseNote(text);
    checkpoint = parseCheckpoint(note.text);
  } catch (error) {
    throw new AuditProofRefused(`${name} can not be read: ${messageOf(error)}`);
  }
  const { size, root, origin } = checkpoint;
  if (filed !== null && size !== filed) throw new AuditProofRefused(`${name} covers ${size}`);
  const keys = (await reader.keys()).map(parseVerifierKey);
  // An exported log need not say which key it has: then whoever gets the proof finds out.
  const isKeyKnown = exported === null || keys.length > 0;
  if (isKeyKnown && (!keys.some((key) => key.name === origin) || checkNote(note, keys).state !== 'signed'))
    throw new AuditProofRefused(`${name} is not signed by a key of the log`);
  if (!areEqual(await rootAt(reader, size), root)) throw new AuditProofRefused(`${name} has another root than the first ${size} entries`);
  return { note: text, ...checkpoint };
}

async function rootAt(reader: AuditReader, size: number): Promise<Hash> {
  return frontierRoot(await frontierAt(size, (level, index) => reader.node(level, index)));
}

/** Of what is stored, not of the hashes that are kept beside it. Where entries are missing, writing them says so. */
async function rootOfEntries(reader: AuditReader, size: number): Promise<Hash> {
  let frontier = EMPTY_FRONTIER;
  for await (const batch of reader.entries(0, size))
    for (const entry of batch) ({ frontier } = appendLeaf(frontier, entry instanceof Uint8Array ? leafHash(entry) : entry.leafHash));
  return frontierRoot(frontier);
}

/** The hash of what is stored, not the hash that is kept beside it. */
async function leafAt(reader: AuditReader, index: number): Promise<Hash> {
  for await (const [entry] of reader.entries(index, index + 1))
    if (entry !== undefined) return entry instanceof Uint8Array ? leafHash(entry) : entry.leafHash;
  throw new AuditProofRefused(`entry ${index} is missing`);
}
