import { dirname } from 'node:path';
import { lockHolder } from '../../adapters/node/instance-lock.ts';
import { readKeptHead } from '../../adapters/store/audit/index.ts';
import { wrongTiles } from '../../adapters/audit-export/index.ts';
import {
  areEqual,
  AuditNodeMissing,
  AuditTextMalformed,
  checkpointsIn,
  frontierAt,
  frontierRoot,
  parseCheckpoint,
  parseNote,
  verifyLog,
  type AuditReader,
  type Checkpoint,
  type Frontier,
  type VerifierKey,
} from '../../domains/audit/index.ts';
import type { Answer } from './answer.ts';
import { keyOf, readText, type AuditSource } from './audit-source.ts';
import { whatIsWrong } from './audit-findings.ts';
import { OptionWrong } from './errors.ts';
import { paint } from './terminal.ts';
import { count } from './when.ts';

export interface AuditVerifyOptions {
  readonly vkey?: string;
  /** File with a checkpoint from which on entries are read. */
  readonly from?: string;
  /** Files with checkpoints that were kept elsewhere. */
  readonly anchor?: readonly string[];
  readonly hashesOnly?: boolean;
}

/** A checkpoint that was kept elsewhere, and the file it is in. */
interface Anchor {
  readonly file: string;
  readonly note: string;
}

const WRONG_TILES_MAX = 10;

/** A head follows within a second or two; with a store that is locked, within these. */
const UNSIGNED_MS = 10_000;

/**
 * Checks the log: exit code 1 when anything is wrong with it.
 * @throws OptionWrong, AuditFileUnreadable: what was given to check it with is no key, no checkpoint or no file
 */
export async function verifyAudit({ reader, where, exported }: AuditSource, options: AuditVerifyOptions): Promise<Answer> {
  const { key, isGiven } = await keyOf(reader, options.vkey);
  const from = options.from === undefined ? null : readText(options.from);
  const anchors: readonly Anchor[] = [
    ...(from === null ? [] : [{ file: options.from ?? '', note: from }]),
    ...(options.anchor ?? []).flatMap(anchorsIn),
  ];
  const start = from === null ? null : await treeAt(reader, from, key);
  // Before the newest head is read, which would otherwise be the older one of the two.
  const keptHead = exported === null ? readKeptHead(dirname(where)) : null;
  // Whoever writes now signs soon; where nobody does, nothing is left unsigned.
  const isWritten = exported === null && lockHolder(dirname(where)) !== null;
  const verification = await verifyLog(reader, {
    key,
    head: await reader.latestCheckpoint(),
    anchors: anchors.map(({ note }) => note),
    depth: options.hashesOnly === true ? 'hashes' : 'whole',
    keptHead,
    ...(isWritten ? { unsignedSinceMs: Date.now() - UNSIGNED_MS, unsignedUntilMs: () => Date.now() + UNSIGNED_MS } : {}),
    ...(start === null ? {} : { start }),
  });
  const tiles = exported?.log.hasTiles === true ? await wrongTiles(reader, exported.dir, WRONG_TILES_MAX) : [];
  const findings = [
    ...verification.findings,
    ...tiles.map((path) => ({ kind: 'changed' as const, from: null, to: null, message: `${path} does not hold what the entries make it` })),
  ];
  const isIntact = findings.length === 0;
  const root = Buffer.from(verification.root).toString('base64');
  const { size, entriesRead, entriesDropped, findingsMore } = verification;
  const signedBy = signerOf(await reader.latestCheckpoint()) ?? key.keyId;
  const lines = isIntact
    ? [
        `${paint('green', 'intact')}: ${count(size, 'entry').replace('entrys', 'entries')} of ${key.name} in ${where}, root ${root}, signed by key ${signedBy}${isGiven && signedBy === key.keyId ? ', the one you gave' : ''}`,
        ...(isGiven && signedBy !== key.keyId
          ? [`the log leads there from key ${key.keyId}, the one you gave, by the handovers in it`]
          : []),
        ...heldAgainst(anchors),
        ...(entriesRead < size ? [`read from entry ${size - entriesRead} on: what is before it was believed`] : []),
        ...(entriesDropped > 0 ? [`of ${entriesDropped} only the hash is left: they were dropped under the retention policy`] : []),
      ]
    : whatIsWrong({ findings, findingsMore, anchors, where: `${key.name} in ${where}`, isExported: exported !== null, isGiven });
  const caution = `the key is the one the log names itself: compare ${key.keyId} with what you noted elsewhere, or give it with --vkey`;
  return {
    exitCode: isIntact ? 0 : 1,
    data: {
      intact: isIntact,
      origin: key.name,
      size,
      root,
      key_id: key.keyId,
      key_given: isGiven,
      signed_by: signedBy,
      anchors: anchors.length,
      entries_read: entriesRead,
      entries_dropped: entriesDropped,
      findings,
      findings_more: findingsMore,
    },
    lines: [...lines, ...(isGiven ? [] : [paint('dim', caution)])],
  };
}

/** All the checkpoints of a file. @throws OptionWrong where there is none: that says nothing about the log */
function anchorsIn(file: string): readonly Anchor[] {
  const found = [...new Set(checkpointsIn(readText(file)))];
  if (found.length === 0)
    throw new OptionWrong(
      '--anchor',
      `${file} holds no checkpoint`,
      'give a file as audit.anchorFile, grace audit checkpoint, git notes --ref=grace show or a boot report wrote it',
    );
  return found.map((note) => ({ file, note }));
}

/** For people, who have to know that it was looked at, and how far it goes. */
function heldAgainst(anchors: readonly Anchor[]): readonly string[] {
  return [...Map.groupBy(anchors, ({ file }) => file)].map(([file, of]) => {
    const newest = Math.max(...of.map(({ note }) => sizeOf(note)));
    return of.length === 1
      ? `goes on from the head of ${newest} entries in ${file}`
      : `goes on from all ${of.length} heads in ${file}, the newest of ${newest} entries`;
  });
}

function sizeOf(note: string): number {
  return parseCheckpoint(parseNote(note).text).size;
}

/** The id of the key that signed a head last; null when it can not be read, which is a finding. */
function signerOf(note: string | null): string | null {
  try {
    return note === null ? null : (parseNote(note).signatures.at(-1)?.keyId ?? null);
  } catch {
    return null;
  }
}

/**
 * The tree below a checkpoint, from the nodes of the log; null when they do not make its root, so that all is read. Also when another key
 * of the log than the given one signed it, too: only the handovers before it can say whether that one follows.
 */
async function treeAt(reader: AuditReader, note: string, key: VerifierKey): Promise<Frontier | null> {
  const { size, root } = givenCheckpoint(note);
  if (parseNote(note).signatures.some(({ name, keyId }) => name === key.name && keyId !== key.keyId)) return null;
  try {
    const frontier = await frontierAt(size, (level, index) => reader.node(level, index));
    return areEqual(frontierRoot(frontier), root) ? frontier : null;
  } catch (error) {
    // As an anchor it says what is wrong.
    if (error instanceof AuditNodeMissing) return null;
    throw error;
  }
}

function givenCheckpoint(note: string): Checkpoint {
  try {
    return parseCheckpoint(parseNote(note).text);
  } catch (error) {
    if (!(error instanceof AuditTextMalformed)) throw error;
    throw new OptionWrong('--from', error.message, 'give a file with one checkpoint, as grace audit checkpoint writes it');
  }
}
