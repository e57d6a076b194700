import { LINE_CHARS_MAX } from '../output.ts';
import { JOINT_SKELETONS_MIN, isLikelyData, isWord, jointTextsNeeded, mayVary, strongerKind, textsNeeded } from './evidence.ts';
import { shapeOf } from './shape.ts';
import { SkeletonKeys } from './skeleton-key.ts';
import { templateText, variable, VARIABLE_TEXT, type Token, type TokenKind } from './token.ts';
import { tokenise } from './tokenise.ts';

declare const brand: unique symbol;
/** A group of lines as it was when a line was added; small whole numbers from 0, never used again. See `groupOf`. */
export type TemplateId = number & { readonly [brand]: 'TemplateId' };

export interface TemplateMinerLimits {
  /** Different skeletons kept. Lines with further ones share one group, whose template is `<*>`. 4 KiB each at twenty words. */
  readonly skeletonsMax: number;
  /** Shapes whose group is remembered; all are forgotten when there are more. Costs time only. At most 1 KiB each. */
  readonly shapesMax: number;
}

/** A log of a large program has several hundred templates; 2,000 skeletons are about 7 MiB, 40 MiB if all have a hundred words. */
const LIMITS: TemplateMinerLimits = { skeletonsMax: 2_000, shapesMax: 4_096 };

/** Raised when the same lines would get other groups: a stored state of another version is not read. */
const STATE_VERSION = 1;

/** What `toJSON` gives, to be stored; the rest follows from it. */
export interface TemplateMinerState {
  readonly version: number;
  readonly skeletonsMax: number;
  /** Every skeleton by its id, a token each: first letter of its kind, a space if it has a gap, its text. */
  readonly skeletons: readonly (readonly string[])[];
  /** For each id the one it was merged into, or itself. */
  readonly merged: readonly number[];
  /** Id of the group of all lines that came too late, or null. */
  readonly overflow: number | null;
}

/** What was seen in one position while everything else was equal. */
interface Position {
  readonly texts: Set<string>;
  readonly ids: TemplateId[];
  kind: TokenKind;
  isMixed: boolean;
}

/** Skeletons that are alike in everything but likely data, whose positions may vary together. */
interface Siblings {
  readonly positions: readonly number[];
  readonly texts: readonly Set<string>[];
  readonly kinds: TokenKind[];
  /** Those of the positions that turned out to vary. */
  readonly varies: Set<number>;
  readonly members: TemplateId[];
}

/**
 * Sorts log lines into groups that one statement of a program wrote: "Connection from <*> port <*>". One pass, no
 * configuration, bounded memory. Knows nothing of the program; what is variable it learns:
 *
 * - from the line alone: numbers, addresses, paths and the like (`tokenise`). What is left is the line's *skeleton*.
 * - from other lines: a position in which enough different texts were seen, with everything else equal (`evidence.ts`).
 *
 * Groups are only ever merged, whole. Two lines that were once in one group stay in one, so a count per group never has to
 * be taken apart; `groupOf` says where a group is now. Why that holds: every rule that was learned stays, a line that
 * fits several rules merges their groups, and a learned rule's group is that of every skeleton it was learned from.
 *
 * Lines are cut to `LINE_CHARS_MAX`. Templates hold text of the lines: take out control characters (`cleanLines`) and secrets
 * (`Redactor`) first.
 */
export class TemplateMiner {
  readonly #limits: TemplateMinerLimits;
  readonly #groupOfShape = new Map<string, TemplateId>();
  readonly #skeletons: (readonly Token[])[] = [];
  readonly #idOfSkeleton = new Map<number, TemplateId>();
  /** Union-find over ids; the root is the smallest. */
  readonly #merged: TemplateId[] = [];
  /** For each root its template. */
  readonly #templates: (readonly Token[])[] = [];
  /** By key of a skeleton with one position open: the one id seen with it, or more. */
  readonly #positions = new Map<number, TemplateId | Position>();
  /** By the same key: positions that vary, and the group of what has any text there. */
  readonly #rules = new Map<number, TemplateId>();
  readonly #siblings = new Map<number, TemplateId | Siblings>();
  #overflow: TemplateId | null = null;
  #count = 0;

  constructor(limits: Partial<TemplateMinerLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
  }

  /** Groups there are now. */
  get count(): number {
    return this.#count;
  }

  /** @returns the line's group, which may be merged into another later: compare `groupOf`, not this */
  add(line: string): TemplateId {
    const shape = shapeOf(line.length > LINE_CHARS_MAX ? cut(line) : line);
    const known = this.#groupOfShape.get(shape);
    if (known !== undefined) return known;
    const id = this.#register(tokenise(shape), false);
    if (this.#groupOfShape.size >= this.#limits.shapesMax) this.#groupOfShape.clear();
    this.#groupOfShape.set(shape, id);
    return id;
  }

  /** The group that this one is part of now: itself, unless it was merged. */
  groupOf(id: TemplateId): TemplateId {
    let root = id;
    for (let next = this.#merged[root]; next !== undefined && next !== root; next = this.#merged[root]) root = next;
    for (let at = id; at !== root;) {
      const next = this.#merged[at] ?? root;
      this.#merged[at] = root;
      at = next;
    }
    return root;
  }

  /** What the lines of the group have in common, with `<*>` for what varies. Empty for an id that was never given out. */
  template(id: TemplateId): string {
    return templateText(this.#templates[this.groupOf(id)] ?? []);
  }

  toJSON(): TemplateMinerState {
    return {
      version: STATE_VERSION,
      skeletonsMax: this.#limits.skeletonsMax,
      skeletons: this.#skeletons.map((tokens) => tokens.map(encode)),
      merged: this.#merged.map((_, id) => this.groupOf(id as TemplateId)),
      overflow: this.#overflow,
    };
  }

  /**
   * A miner that goes on where the stored one was: same ids, same groups, same answers to come.
   * @returns null when the state is of another version or damaged: begin anew, ids given out before mean nothing then
   */
  static fromJSON(state: unknown): TemplateMiner | null {
    const stored = readState(state);
    if (stored === null) return null;
    const miner = new TemplateMiner({ skeletonsMax: stored.skeletonsMax });
    // What was learned follows from the skeletons and their order; a rule's own skeleton comes by itself.
    for (const [id, tokens] of stored.skeletons.entries()) {
      if (id < miner.#skeletons.length) continue;
      const keys = new SkeletonKeys(tokens);
      if (id === stored.overflow) miner.#overflow = miner.#create(tokens);
      else if (miner.#idOfSkeleton.has(keys.whole)) return null;
      else miner.#learn(tokens, keys, miner.#create(tokens));
    }
    if (miner.#skeletons.length !== stored.skeletons.length) return null;
    for (const [id, into] of stored.merged.entries()) miner.#merge(id as TemplateId, into as TemplateId);
    return miner;
  }

  /**
   * The id of what these tokens are after everything learned was applied. Where that was not seen before, it is learned from.
   * @param isRule   these are the tokens of a rule: they get an id, however many there are
   */
  #register(line: readonly Token[], isRule: boolean): TemplateId {
    let tokens = line;
    let keys = new SkeletonKeys(tokens);
    const fits: TemplateId[] = [];
    for (let opened = this.#openLearned(tokens, keys, fits); opened !== null; opened = this.#openLearned(tokens, keys, fits)) {
      tokens = opened;
      keys = new SkeletonKeys(tokens);
    }
    const known = this.#idOfSkeleton.get(keys.whole);
    if (known !== undefined) return this.#mergeAll([known, ...fits]);
    // What fits a rule has a group, and needs a skeleton only to learn from.
    if (!isRule && fits.length > 0 && !this.#mayLearn) return this.#mergeAll(fits);
    if (!isRule && fits.length === 0 && this.#skeletons.length >= this.#limits.skeletonsMax) {
      this.#overflow ??= this.#create([variable(false)]);
      return this.#overflow;
    }
    const id = this.#create(tokens);
    this.#learn(tokens, keys, id);
    return this.#mergeAll([id, ...fits]);
  }

  /**
   * Rules have skeletons of their own; there are at most as many of these as of others. Once a line has come too late
   * nothing is learned any more: by a new rule that line would leave the group it was put into.
   */
  get #mayLearn(): boolean {
    return this.#overflow === null && this.#skeletons.length < this.#limits.skeletonsMax * 2;
  }

  #create(tokens: readonly Token[]): TemplateId {
    const id = this.#skeletons.length as TemplateId;
    this.#skeletons.push(tokens);
    this.#templates.push(tokens);
    this.#merged.push(id);
    this.#count++;
    return id;
  }

  /**
   * The tokens with what is known to vary made variable, one step; null when nothing more is known.
   * @param fits   the groups of all the rules that the tokens fit are added to it
   */
  #openLearned(tokens: readonly Token[], keys: SkeletonKeys, fits: TemplateId[]): readonly Token[] | null {
    let opened: readonly Token[] | null = null;
    for (const [i, token] of tokens.entries()) {
      if (token.kind === 'variable' || !mayVary(token)) continue;
      const group = this.#rules.get(keys.open(i));
      if (group === undefined) continue;
      fits.push(group);
      opened ??= tokens.with(i, variable(token.gap));
    }
    const siblings = this.#siblings.get(keys.openAll(mayDiffer(tokens)));
    if (siblings === undefined || typeof siblings === 'number') return opened;
    const joint = openVarying(siblings, tokens);
    if (joint === tokens) return opened;
    const group = this.#idOfSkeleton.get(new SkeletonKeys(joint).whole);
    if (group !== undefined) fits.push(group);
    return opened ?? joint;
  }

  #learn(tokens: readonly Token[], keys: SkeletonKeys, id: TemplateId): void {
    this.#idOfSkeleton.set(keys.whole, id);
    const words = tokens.filter(isWord).length;
    for (const [i, token] of tokens.entries()) {
      if (mayVary(token)) this.#learnPosition(tokens, i, keys.open(i), id, words - (isWord(token) ? 1 : 0));
    }
    this.#learnTogether(tokens, keys, id);
  }

  /** Notes what stands in one position, and makes it a variable when enough was seen there. */
  #learnPosition(tokens: readonly Token[], i: number, key: number, id: TemplateId, otherWords: number): void {
    const rule = this.#rules.get(key);
    if (rule !== undefined) {
      this.#merge(rule, id);
      return;
    }
    const seen = this.#positions.get(key);
    if (seen === undefined) {
      this.#positions.set(key, id);
      return;
    }
    const position = typeof seen === 'number' ? this.#positionOf(seen, i) : seen;
    this.#positions.set(key, position);
    note(position, id, tokens[i]);
    if (position.texts.size < textsNeeded(position.kind, position.isMixed, otherWords) || !this.#mayLearn) return;
    this.#positions.delete(key);
    this.#rules.set(key, this.#mergeAll(position.ids));
    // The rule's own skeleton: more positions of it may turn out to vary.
    this.#merge(this.#register(tokens.with(i, variable(tokens[i]?.gap ?? false)), true), id);
  }

  #positionOf(id: TemplateId, i: number): Position {
    const position: Position = { texts: new Set(), ids: [], kind: 'variable', isMixed: false };
    note(position, id, this.#skeletons[id]?.[i]);
    return position;
  }

  /** Positions of likely data that change together (a tag and its owner) are judged over all their combinations. */
  #learnTogether(tokens: readonly Token[], keys: SkeletonKeys, id: TemplateId): void {
    const positions = mayDiffer(tokens);
    if (positions.length === 0 || !tokens.some(({ kind }) => kind === 'word')) return;
    const key = keys.openAll(positions);
    const seen = this.#siblings.get(key);
    if (seen === undefined) {
      this.#siblings.set(key, id);
      return;
    }
    const siblings = typeof seen === 'number' ? this.#siblingsOf(seen, positions) : seen;
    this.#siblings.set(key, siblings);
    include(siblings, id, tokens);
    if (siblings.members.length < JOINT_SKELETONS_MIN || !this.#mayLearn) return;
    const before = siblings.varies.size;
    for (const [n, i] of positions.entries()) {
      if ((siblings.texts[n]?.size ?? 0) >= jointTextsNeeded(siblings.kinds[n] ?? 'variable')) siblings.varies.add(i);
    }
    if (siblings.varies.size === before) return;
    for (const member of siblings.members.slice()) {
      const opened = openVarying(siblings, this.#skeletons[member] ?? []);
      if (opened !== this.#skeletons[member]) this.#merge(this.#register(opened, true), member);
    }
  }

  #siblingsOf(id: TemplateId, positions: readonly number[]): Siblings {
    const siblings: Siblings = {
      positions,
      texts: positions.map(() => new Set()),
      kinds: positions.map(() => 'variable'),
      varies: new Set(),
      members: [],
    };
    include(siblings, id, this.#skeletons[id] ?? []);
    return siblings;
  }

  #mergeAll(ids: readonly TemplateId[]): TemplateId {
    const [first, ...others] = ids;
    return others.reduce((into, id) => this.#merge(into, id), first as TemplateId);
  }

  #merge(a: TemplateId, b: TemplateId): TemplateId {
    const [rootA, rootB] = [this.groupOf(a), this.groupOf(b)];
    if (rootA === rootB) return rootA;
    const [root, other] = rootA < rootB ? [rootA, rootB] : [rootB, rootA];
    this.#merged[other] = root;
    this.#templates[root] = inCommon(this.#templates[root] ?? [], this.#templates[other] ?? []);
    this.#count--;
    return root;
  }
}

/** A copy: a part of a string would keep the whole of it, which may have 100 MB, in memory. */
function cut(line: string): string {
  return Array.from({ length: LINE_CHARS_MAX }, (_, i) => line[i]).join('');
}

function note(position: Position, id: TemplateId, token: Token | undefined): void {
  if (token === undefined) return;
  position.ids.push(id);
  position.texts.add(token.text);
  position.kind = strongerKind(position.kind, token.kind);
  if (token.kind === 'variable') position.isMixed = true;
}

function include(siblings: Siblings, id: TemplateId, tokens: readonly Token[]): void {
  siblings.members.push(id);
  for (const [n, i] of siblings.positions.entries()) {
    const token = tokens[i];
    if (token === undefined) continue;
    siblings.texts[n]?.add(token.text);
    if (token.kind !== 'variable') siblings.kinds[n] = token.kind;
  }
}

/** Positions in which siblings may differ: likely data, and what is known to vary. */
function mayDiffer(tokens: readonly Token[]): readonly number[] {
  return tokens.flatMap((token, i) => (token.kind === 'variable' || isLikelyData(token) ? [i] : []));
}

function openVarying(siblings: Siblings, tokens: readonly Token[]): readonly Token[] {
  let opened = tokens;
  for (const i of siblings.varies) {
    const token = tokens[i];
    if (token !== undefined && token.kind !== 'variable') opened = opened.with(i, variable(token.gap));
  }
  return opened;
}

/** Merged skeletons have equally many tokens: a rule opens a position and takes none away. */
function inCommon(a: readonly Token[], b: readonly Token[]): readonly Token[] {
  return a.map((token, i) => (token.text === b[i]?.text ? token : variable(token.gap)));
}

const LETTERS: Readonly<Record<TokenKind, string>> = {
  word: 'w',
  mark: 'm',
  variable: 'x',
  key: 'k',
  value: 'v',
  argument: 'a',
  name: 'n',
  numbered: 'd',
  flag: 'f',
};
const KINDS: ReadonlyMap<string, TokenKind> = new Map(Object.entries(LETTERS).map(([kind, letter]) => [letter, kind as TokenKind]));

const encode = ({ text, kind, gap }: Token): string => `${LETTERS[kind]}${gap ? ' ' : '.'}${kind === 'variable' ? '' : text}`;

function decode(text: unknown): Token | null {
  if (typeof text !== 'string') return null;
  const kind = KINDS.get(text.slice(0, 1));
  if (kind === undefined) return null;
  return { kind, gap: text[1] === ' ', text: kind === 'variable' ? VARIABLE_TEXT : text.slice(2) };
}

interface StoredState {
  readonly skeletonsMax: number;
  readonly skeletons: readonly (readonly Token[])[];
  readonly merged: readonly number[];
  readonly overflow: number | null;
}

function readState(state: unknown): StoredState | null {
  const { version, skeletonsMax, skeletons, merged, overflow } = (state ?? {}) as {
    readonly [Field in keyof TemplateMinerState]?: unknown;
  };
  if (version !== STATE_VERSION || !Array.isArray(skeletons) || !Array.isArray(merged) || merged.length !== skeletons.length) return null;
  if (typeof skeletonsMax !== 'number' || !(skeletonsMax >= 1)) return null;
  if (overflow !== null && typeof overflow !== 'number') return null;
  if (!merged.every((into): into is number => Number.isInteger(into) && into >= 0 && into < skeletons.length)) return null;
  const decoded = skeletons.map((tokens: unknown) => (Array.isArray(tokens) ? tokens.map(decode) : [null]));
  if (!decoded.every((tokens): tokens is Token[] => !tokens.includes(null))) return null;
  return { skeletonsMax, skeletons: decoded, merged, overflow };
}
