import { beginsWith, entryStart, type AuditEntry } from './entry.ts';
import { readLine, type ReadLine } from './canonical-line.ts';
import { parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { Findings, type Finding } from './finding.ts';
import { KeyChain } from './key-chain.ts';
import { isRotation } from './key-rotation.ts';
import type { VerifierKey } from './keys.ts';
import { DroppedCheck } from './dropped-check.ts';
import { KeptCheck } from './kept-check.ts';
import { areEqual, EMPTY_FRONTIER, frontierRoot, leafHash, type Frontier, type Hash } from './merkle.ts';
import { LogTorn } from './errors.ts';
import type { AuditReader } from './ports.ts';
import { RunningTree } from './running-tree.ts';
import { entriesText, SequenceCheck } from './sequence-check.ts';
import { StoredHeads } from './stored-heads.ts';
import { checkNote, parseNote, type SignedNote } from './signed-note.ts';
import { messageOf } from '../../kernel/index.ts';

export interface VerifyOptions {
  /** Known from elsewhere: the key of the log, or one that it had before or after a handover. */
  readonly key: VerifierKey;
  /** The signed head to hold the entries against; null when there is none, which is a finding. */
  readonly head: string | null;
  /** Signed checkpoints that were kept elsewhere. */
  readonly anchors?: readonly string[];
  /** What was checked already, and is believed: the tree of the first entries. Hold it against a checkpoint, as an anchor. */
  readonly start?: Frontier;
  /**
   * `whole` also reads each entry: canonical form, sequence, timestamp. It names the place of most tampering, and takes some
   * two to three times as long as `hashes`, which finds as much.
   */
  readonly depth?: 'whole' | 'hashes';
  /** The head as it is kept beside the log, where one is: the log covers it, whatever its own newest head is. */
  readonly keptHead?: string | null;
  /**
   * The log is being written: entries beyond its newest head may be there, none of them from before this moment (milliseconds since
   * 1970), since a head follows soon. By default any is a finding.
   */
  readonly unsignedSinceMs?: number;
  /** Asked as each of these entries is read: none may be from after this moment. What nobody signs soon could say any. */
  readonly unsignedUntilMs?: () => number;
}

export interface Verification {
  readonly isIntact: boolean;
  /** Entries of the head that was checked; of what was found where there is none. */
  readonly size: number;
  /** Entries that were read now. */
  readonly entriesRead: number;
  /** Of those: their bytes were dropped under policy, so that only their hashes were checked. */
  readonly entriesDropped: number;
  readonly root: Hash;
  readonly findings: readonly Finding[];
  /** Findings that were left out of the list. */
  readonly findingsMore: number;
}

/** A checkpoint, and what it is held against while the entries go by. */
interface Watch {
  /** As people call it. */
  readonly name: string;
  readonly isAnchor: boolean;
  /** As it was given. */
  readonly given: string;
  readonly note: SignedNote;
  readonly checkpoint: Checkpoint;
  /** Root of the entries that are here, once there are as many. */
  actual: Hash | null;
}

const DROPPING_START = entryStart('audit.payloads_dropped');
/** Retention may drop more while what it has dropped is read; each round is shorter than the one before. */
const ROUNDS_MAX = 8;
/** Entries named one by one; beyond that it is said where they begin and end. */
const CHANGED_NAMED_MAX = 10;

/**
 * Checks a whole log, or what came after a checkpoint, reading it once in constant memory. What is wrong is a value, not an
 * exception; what keeps it from reading is one.
 */
export async function verifyLog(reader: AuditReader, options: VerifyOptions): Promise<Verification> {
  const { key, depth = 'whole', unsignedSinceMs = null } = options;
  const findings = new Findings();
  const head = watchOf(options.head, 'the head of the log', false, key, findings);
  const anchors = (options.anchors ?? []).map((note, i, all) =>
    watchOf(note, all.length === 1 ? 'the anchor' : `anchor ${i + 1}`, true, key, findings),
  );
  // A checkpoint from before the start says nothing about what comes after it: then everything is read.
  const isBefore = anchors.some((anchor) => anchor !== null && anchor.checkpoint.size < (options.start?.size ?? 0));
  const start = isBefore ? EMPTY_FRONTIER : (options.start ?? EMPTY_FRONTIER);
  const { keptHead = null } = options;
  const kept = keptHead === null ? null : watchOf(keptHead, 'the head that is kept beside the log', true, key, findings);
  const watches = [head, ...anchors, kept !== null && kept.checkpoint.size >= start.size ? kept : null].filter((watch) => watch !== null);
  const stored = new StoredHeads(reader, key.name, start.size, options.head, findings);
  const nodes = reader.kept === undefined ? null : new KeptCheck(reader.kept);
  const pass = new Pass(start, key, watches, depth, nodes, stored, options.unsignedUntilMs ?? (() => Infinity), findings);
  await stored.open();
  await pass.read(reader, head === null ? Infinity : Math.max(...watches.map((w) => w.checkpoint.size)));
  const newest = await readToNewestHead(reader, pass, head, key, findings);
  if (newest !== head && newest !== null) watches.push(newest);
  const present = await reader.size();
  await pass.readUnsigned(reader, unsignedSinceMs === null ? Infinity : present);
  pass.end();
  if (!pass.isTorn && pass.tree.size < present) await nameBreak(reader, pass.tree.size, present, newest?.checkpoint.size ?? 0, findings);
  for (const watch of watches) judgeSignature(watch, pass.chain, findings);
  const isUnsigned = unsignedSinceMs === null || pass.unsignedFromMs < unsignedSinceMs;
  const { span, lastFit } = judgeHistory(watches, newest, pass, present, start.size, isUnsigned, findings);
  await stored.end(pass.chain, lastFit, newest === null ? null : { size: newest.checkpoint.size, note: newest.given });
  pass.chain.end(findings);
  if (span !== null) await nameChanged(reader, span, findings);
  pass.kept?.end(findings, span?.from ?? Infinity);
  pass.dropped.end(findings);
  const { size } = pass.tree;
  return {
    isIntact: findings.list.length === 0,
    size: newest?.checkpoint.size ?? size,
    entriesRead: size - start.size,
    entriesDropped: pass.entriesDropped,
    root: newest?.actual ?? frontierRoot(pass.tree.frontier()),
    findings: findings.list,
    findingsMore: findings.more,
  };
}

/**
 * Entries may have been added meanwhile, and signed: reads on to where they are. What retention drops is said before it is gone, in
 * an entry that is signed at once; so whatever was found without content, the head that covers its announcement is there by now.
 * @returns the newest head to which the entries go
 */
async function readToNewestHead(
  reader: AuditReader,
  pass: Pass,
  head: Watch | null,
  key: VerifierKey,
  findings: Findings,
): Promise<Watch | null> {
  let newest = head;
  for (let round = 0; newest !== null && !pass.isTorn && round < ROUNDS_MAX; round++) {
    const note = await reader.latestCheckpoint();
    if (note === null || note === newest.given || (round > 0 && !pass.dropped.isOpen)) break;
    const watch = watchOf(note, 'the head of the log', false, key, findings);
    if (watch === null || watch.checkpoint.size <= pass.tree.size) break;
    pass.watch(watch);
    await pass.read(reader, watch.checkpoint.size);
    newest = watch;
  }
  return newest;
}

/** Reading ended at something that is no entry, though some lie behind it. */
async function nameBreak(reader: AuditReader, place: number, present: number, signedSize: number, findings: Findings): Promise<void> {
  if (place >= signedSize) return findings.add('torn', `${entriesText(place, present - 1)} can not be read`, place, present - 1);
  const next = (await reader.nextHeld?.(place)) ?? place;
  if (next > place)
    findings.add(
      'removed',
      `${entriesText(place, next - 1)} ${next - 1 > place ? 'are' : 'is'} missing; what follows was not read`,
      place,
      next - 1,
    );
  else findings.add('torn', `entry ${place} can not be read; what follows was not read either`, place, present - 1);
}

/** One reading of the entries. */
class Pass {
  readonly tree: RunningTree;
  readonly chain: KeyChain;
  readonly kept: KeptCheck | null;
  readonly dropped = new DroppedCheck();
  readonly #sequence: SequenceCheck;
  readonly #bySize: Map<number, Watch[]>;
  readonly #stored: StoredHeads;
  readonly #isWhole: boolean;
  readonly #unsignedUntilMs: () => number;
  readonly #findings: Findings;
  entriesDropped = 0;
  isTorn = false;
  /** The time of the oldest entry that no head covers; infinite when there is none, and minus that for one that tells none or one to come. */
  unsignedFromMs = Infinity;
  #isSigned = true;
  /** There was nothing to read on where entries should be: what lies behind that place does not go on from what was read. */
  #isEnded = false;

  constructor(
    start: Frontier,
    key: VerifierKey,
    watches: readonly Watch[],
    depth: 'whole' | 'hashes',
    kept: KeptCheck | null,
    stored: StoredHeads,
    unsignedUntilMs: () => number,
    findings: Findings,
  ) {
    this.tree = new RunningTree(start, kept);
    this.kept = kept;
    this.chain = new KeyChain(key);
    this.#sequence = new SequenceCheck(start.size);
    this.#bySize = Map.groupBy(watches, (watch) => watch.checkpoint.size);
    this.#stored = stored;
    this.#isWhole = depth === 'whole';
    this.#unsignedUntilMs = unsignedUntilMs;
    this.#findings = findings;
  }

  watch(watch: Watch): void {
    const { size } = watch.checkpoint;
    this.#bySize.set(size, [...(this.#bySize.get(size) ?? []), watch]);
  }

  async read(reader: AuditReader, to: number): Promise<void> {
    await this.#noteRoots();
    if (this.#isEnded) return;
    try {
      for await (const batch of reader.entries(this.tree.size, to)) {
        await this.kept?.prepare(this.tree.size, this.tree.size + batch.length);
        for (const entry of batch) {
          if (entry instanceof Uint8Array) this.#takeEntry(entry);
          else this.#takeDropped(entry.leafHash);
          if (this.#bySize.has(this.tree.size) || this.#stored.nextSize <= this.tree.size) await this.#noteRoots();
        }
      }
    } catch (error) {
      if (!(error instanceof LogTorn)) throw error;
      this.isTorn = true;
      this.#findings.add('torn', error.message, this.tree.size);
    }
    this.#isEnded = this.tree.size < to;
  }

  /** What follows the newest head: anybody may have written it, so it is checked like the rest, and nothing that it says is believed. */
  async readUnsigned(reader: AuditReader, to: number): Promise<void> {
    if (this.isTorn || to <= this.tree.size) return;
    this.#isSigned = false;
    await this.read(reader, to);
  }

  /** The number after the last one that an entry in its place has; 0 where numbers are not looked at. */
  get sequenceEnd(): number {
    return this.#isWhole ? this.#sequence.next : 0;
  }

  /** All entries went by. */
  end(): void {
    this.#sequence.end(this.#findings);
  }

  #takeAnnouncement(line: ReadLine, place: number): void {
    if (line.state === 'entry') this.dropped.announced(place, line.entry['payload']);
  }

  #takeEntry(entry: Uint8Array): void {
    const place = this.tree.size;
    const isHandover = isRotation(entry);
    const before = isHandover ? { size: place, root: frontierRoot(this.tree.frontier()) } : null;
    const isDropping = !isHandover && beginsWith(entry, DROPPING_START);
    const leaf = this.tree.appendEntry(entry);
    if (!this.#isWhole && before === null && !isDropping && this.#isSigned) return;
    const line = readLine(entry);
    if (this.#isWhole) {
      if (line.state === 'wrong') this.#findings.add(line.kind, `entry at place ${place} ${line.problem}`, place);
      // One that tells no place is taken for the one that belongs here.
      if (line.sequence !== null) this.#sequence.see(line.sequence, place, leaf, this.#findings);
      else this.#sequence.skip();
    }
    if (!this.#isSigned) {
      const atMs = line.state === 'entry' ? Date.parse(line.entry['timestamp'] as string) : -Infinity;
      this.unsignedFromMs = Math.min(this.unsignedFromMs, atMs > this.#unsignedUntilMs() ? -Infinity : atMs);
      return;
    }
    if (isDropping) this.#takeAnnouncement(line, place);
    if (before !== null && line.state === 'entry') this.chain.rotate(line.entry as unknown as AuditEntry, before, this.#findings);
  }

  #takeDropped(leaf: Hash): void {
    this.dropped.dropped(this.tree.size);
    this.tree.appendLeaf(leaf);
    this.#sequence.skip();
    this.entriesDropped++;
    if (!this.#isSigned) this.unsignedFromMs = -Infinity;
  }

  async #noteRoots(): Promise<void> {
    let root: Hash | null = null;
    const rootNow = (): Hash => (root ??= frontierRoot(this.tree.frontier()));
    for (const watch of this.#bySize.get(this.tree.size) ?? []) watch.actual = rootNow();
    while (this.#stored.nextSize <= this.tree.size) await this.#stored.see(rootNow);
  }
}

/** Reads a checkpoint and says what is wrong with it by itself. */
function watchOf(note: string | null, name: string, isAnchor: boolean, key: VerifierKey, findings: Findings): Watch | null {
  if (note === null) {
    findings.add('checkpoint', `${name} is missing: nothing is signed`);
    return null;
  }
  try {
    const parsed = parseNote(note);
    const checkpoint = parseCheckpoint(parsed.text);
    if (checkpoint.origin !== key.name) {
      findings.add('origin', `${name} is of the log ${JSON.stringify(checkpoint.origin)}, not of ${JSON.stringify(key.name)}`);
      // Another log may have any history: nothing more can be said of an anchor from there.
      if (isAnchor) return null;
    }
    return { name, isAnchor, given: note, note: parsed, checkpoint, actual: null };
  } catch (error) {
    findings.add('checkpoint', `${name}: ${messageOf(error)}`);
    return null;
  }
}

function judgeSignature({ name, note, checkpoint }: Watch, chain: KeyChain, findings: Findings): void {
  const check = checkNote(note, chain.keysFor(checkpoint.size));
  if (check.state === 'wrong_signature')
    findings.add('signature', `${name}, of ${checkpoint.size} entries, has a wrong signature of key ${check.key.keyId}`);
  if (check.state !== 'unknown_key') return;
  const by = note.signatures.map(({ keyId }) => keyId).join(', ');
  findings.add('unknown_key', `${name}, of ${checkpoint.size} entries, is signed by ${by}, and no known key of the log is among them`);
}

/** Where the first difference must be: from the last size that fitted to the first that did not. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** @returns where to look closer, when the roots differ, and the size of the last head that fits (-1 when none does) */
function judgeHistory(
  watches: readonly Watch[],
  head: Watch | null,
  pass: Pass,
  present: number,
  startSize: number,
  isUnsigned: boolean,
  findings: Findings,
): { readonly span: Span | null; readonly lastFit: number } {
  const { size } = pass.tree;
  let [good, bad, lastFit] = [startSize, Infinity, -1];
  for (const { name, isAnchor, checkpoint, actual } of watches) {
    const covered = checkpoint.size;
    if (actual !== null) {
      if (areEqual(actual, checkpoint.root)) {
        good = Math.max(good, covered);
        lastFit = Math.max(lastFit, covered);
      } else {
        bad = Math.min(bad, covered);
        if (isAnchor)
          findings.add('forked', `${name} covers another history: its root of the first ${covered} entries is not theirs`, 0, covered - 1);
        else findings.add('root', `the ${covered} entries do not hash to the root that ${name} has`, 0, covered - 1);
      }
    } else if (covered < startSize) findings.add('truncated', `${name} covers ${covered} entries, fewer than the ${startSize} before it`);
    else if (isAnchor) findings.add('truncated', `${name} covers ${covered} entries, and there are ${size} now`, size, covered - 1);
    // Where the last ones are there, what is missing before them is told of already.
    else if (present < covered && !(findings.has('removed') && pass.sequenceEnd >= covered))
      findings.add('removed', `${entriesText(size, covered - 1)} at the end of the log, which ${name} covers`, size, covered - 1);
  }
  if (head !== null && isUnsigned && size > head.checkpoint.size)
    findings.add('unsigned', `${head.name} covers ${head.checkpoint.size} entries, and there are ${size}`, head.checkpoint.size, size - 1);
  const longest = Math.max(0, ...watches.filter((w) => w.isAnchor).map((w) => w.checkpoint.size));
  if (head !== null && head.checkpoint.size < longest && !findings.has('truncated'))
    findings.add(
      'truncated',
      `${head.name} covers ${head.checkpoint.size} entries, fewer than the ${longest} of a checkpoint kept elsewhere`,
      head.checkpoint.size,
      longest - 1,
    );
  return { span: bad === Infinity ? null : { from: good < bad ? good : startSize, to: bad }, lastFit };
}

/** Compares with the leaf hashes that the log keeps, where it does: slow, and only done when something is wrong. */
async function nameChanged(reader: AuditReader, { from, to }: Span, findings: Findings): Promise<void> {
  const changed: number[] = [];
  let [place, compared] = [from, 0];
  try {
    // Hashes that are made from the entries would always fit them.
    for await (const batch of reader.keptLeaf === undefined ? [] : reader.entries(from, to))
      for (const entry of batch) {
        const kept = (await reader.keptLeaf?.(place)) ?? null;
        if (kept !== null) {
          compared++;
          if (entry instanceof Uint8Array && !areEqual(leafHash(entry), kept)) changed.push(place);
        }
        place++;
      }
  } catch (error) {
    if (!(error instanceof LogTorn)) throw error;
  }
  const [first, last] = [changed[0], changed.at(-1)];
  if (first === undefined || last === undefined) {
    // Where no hashes are kept, all of the log is what the root that does not fit says already.
    if (from > 0 || (compared === 0 && reader.keptLeaf !== undefined))
      findings.add('changed', `the first difference is somewhere in ${entriesText(from, to - 1)}`, from, to - 1);
  } else if (changed.length <= CHANGED_NAMED_MAX)
    for (const one of changed) findings.add('changed', `entry ${one} is not what it was when it was written`, one);
  else
    findings.add(
      'changed',
      `${changed.length} entries from ${first} to ${last} are not what they were when they were written`,
      first,
      last,
    );
}
