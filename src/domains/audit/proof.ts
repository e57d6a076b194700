import { fromBase64, toBase64 } from './base64.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { AuditTextMalformed } from './errors.ts';
import type { VerifierKey } from './keys.ts';
import { areEqual, EMPTY_FRONTIER, frontierRoot, HASH_BYTES, leafHash, verifyConsistency, verifyInclusion, type Hash } from './merkle.ts';
import { checkNote, parseNote } from './signed-note.ts';

/** Shows that one entry is in the log, to whoever has the entry and the key. @see c2sp.org/tlog-proof */
export interface InclusionProof {
  readonly index: number;
  /** The leaf's sibling first. */
  readonly hashes: readonly Hash[];
  /** The signed head it leads to. */
  readonly checkpoint: string;
}

/** Shows that a log goes on from an older checkpoint. @see c2sp.org/tlog-witness, the body of add-checkpoint */
export interface ConsistencyProof {
  readonly olderSize: number;
  readonly hashes: readonly Hash[];
  /** The newer signed head. */
  readonly checkpoint: string;
}

/** Why a proof does not hold. */
export type ProofCheck = { readonly state: 'holds' } | { readonly state: 'fails'; readonly problem: string };

/** First line of a `.tlog-proof` file. */
const INCLUSION_HEADER = 'c2sp.org/tlog-proof@v1';
/** A tree of 2^53 leaves has no longer ones; a consistency proof has one more. */
const HASHES_MAX = 64;
const COUNT = /^(?:0|[1-9]\d{0,15})$/;

export function formatInclusionProof({ index, hashes, checkpoint }: InclusionProof): string {
  return `${INCLUSION_HEADER}\nindex ${index}\n${hashLines(hashes)}\n${checkpoint}`;
}

/** @throws AuditTextMalformed */
export function parseInclusionProof(text: string): InclusionProof {
  const what = 'inclusion proof';
  if (!text.startsWith(`${INCLUSION_HEADER}\n`)) throw new AuditTextMalformed(what, `its first line is not ${INCLUSION_HEADER}`);
  const { count, ...rest } = parseBody(text.slice(INCLUSION_HEADER.length + 1), 'index', what);
  return { index: count, ...rest };
}

export function formatConsistencyProof({ olderSize, hashes, checkpoint }: ConsistencyProof): string {
  return `old ${olderSize}\n${hashLines(hashes)}\n${checkpoint}`;
}

/** @throws AuditTextMalformed */
export function parseConsistencyProof(text: string): ConsistencyProof {
  const { count, ...rest } = parseBody(text, 'old', 'consistency proof');
  return { olderSize: count, ...rest };
}

/** Whether this entry is in the log whose key this is. */
export function checkInclusionProof({ index, hashes, checkpoint }: InclusionProof, entry: Uint8Array, key: VerifierKey): ProofCheck {
  const head = signedHead(checkpoint, key);
  if (typeof head === 'string') return { state: 'fails', problem: head };
  if (!verifyInclusion(leafHash(entry), index, head.size, hashes, head.root))
    return { state: 'fails', problem: `it does not lead from this entry at place ${index} to the root of the checkpoint` };
  return { state: 'holds' };
}

/** Whether the log goes on from the older head; both have to be signed by its key. */
export function checkConsistencyProof({ olderSize, hashes, checkpoint }: ConsistencyProof, older: string, key: VerifierKey): ProofCheck {
  const [newHead, oldHead] = [signedHead(checkpoint, key), signedHead(older, key)];
  if (typeof newHead === 'string') return { state: 'fails', problem: newHead };
  if (typeof oldHead === 'string') return { state: 'fails', problem: `the older checkpoint: ${oldHead}` };
  if (oldHead.size !== olderSize) return { state: 'fails', problem: `it is for an older size of ${olderSize}, not ${oldHead.size}` };
  const isNothingOlder = oldHead.size === 0 && hashes.length === 0 && areEqual(oldHead.root, frontierRoot(EMPTY_FRONTIER));
  if (!isNothingOlder && !verifyConsistency(oldHead, newHead, hashes))
    return { state: 'fails', problem: `it does not lead from the ${oldHead.size} older entries to the ${newHead.size} newer ones` };
  return { state: 'holds' };
}

function signedHead(note: string, key: VerifierKey) {
  try {
    const parsed = parseNote(note);
    const head = parseCheckpoint(parsed.text);
    if (head.origin !== key.name) return `the checkpoint is of the log ${JSON.stringify(head.origin)}`;
    return checkNote(parsed, [key]).state === 'signed' ? head : `the checkpoint is not signed by ${key.name}`;
  } catch (error) {
    if (error instanceof AuditTextMalformed) return error.message;
    throw error;
  }
}

function hashLines(hashes: readonly Hash[]): string {
  return hashes.map((hash) => `${toBase64(hash)}\n`).join('');
}

function parseBody(body: string, word: string, what: string) {
  const blank = body.indexOf('\n\n');
  if (blank < 0) throw new AuditTextMalformed(what, 'no blank line stands before the checkpoint');
  const [first = '', ...lines] = body.slice(0, blank).split('\n', HASHES_MAX + 2);
  const digits = first.startsWith(`${word} `) ? first.slice(word.length + 1) : '';
  if (!COUNT.test(digits) || !Number.isSafeInteger(Number(digits)))
    throw new AuditTextMalformed(what, `it does not say "${word}" and a whole number`);
  if (lines.length > HASHES_MAX) throw new AuditTextMalformed(what, `it has more than ${HASHES_MAX} hashes`);
  const hashes = lines.map((line) => {
    const hash = fromBase64(line);
    if (hash?.length !== HASH_BYTES) throw new AuditTextMalformed(what, 'a line is not the base64 of a hash');
    return hash;
  });
  return { count: Number(digits), hashes, checkpoint: body.slice(blank + 2) };
}
