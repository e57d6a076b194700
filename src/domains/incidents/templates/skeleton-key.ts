import { VARIABLE_TEXT, type Token } from './token.ts';

/**
 * Numbers that stand for a list of tokens, and for the same list with some positions left open, each in constant time
 * per position: 53 bits, so that two of a million lists share one by chance once in ten thousand logs. What would follow
 * is that two templates are counted as one. The texts themselves would cost a hundred times the memory.
 */
export class SkeletonKeys {
  /** Key of the list as it is. */
  readonly whole: number;
  readonly #low: number;
  readonly #high: number;
  readonly #opened: readonly (readonly [low: number, high: number])[];

  constructor(tokens: readonly Token[]) {
    let low = tokens.length;
    let high = ~tokens.length;
    const opened: (readonly [number, number])[] = [];
    for (const [i, token] of tokens.entries()) {
      const [tokenLow, tokenHigh] = [mix(hash(token.text, LOW_SEED), i), mix(hash(token.text, HIGH_SEED), i)];
      low ^= tokenLow;
      high ^= tokenHigh;
      opened.push([tokenLow ^ mix(OPEN_LOW, i), tokenHigh ^ mix(OPEN_HIGH, i)]);
    }
    this.#low = low;
    this.#high = high;
    this.#opened = opened;
    this.whole = join(low, high);
  }

  /** Key of the list with one position left open. Another than that of any other position, even if the list is the same. */
  open(position: number): number {
    const [low, high] = this.#opened[position] ?? [0, 0];
    return join(this.#low ^ low ^ mix(POSITION_LOW, position), this.#high ^ high ^ mix(POSITION_HIGH, position));
  }

  /** Key of the list with all these positions left open. */
  openAll(positions: readonly number[]): number {
    let low = this.#low ^ POSITION_HIGH;
    let high = this.#high ^ POSITION_LOW;
    for (const position of positions) {
      const [openedLow, openedHigh] = this.#opened[position] ?? [0, 0];
      low ^= openedLow;
      high ^= openedHigh;
    }
    return join(low, high);
  }
}

const LOW_SEED = 0x811c9dc5;
const HIGH_SEED = 0x01935a7b;
const OPEN_LOW = hash(VARIABLE_TEXT, LOW_SEED);
const OPEN_HIGH = hash(VARIABLE_TEXT, HIGH_SEED);
const POSITION_LOW = 0x2545f491;
const POSITION_HIGH = 0x4f6cdd1d;

/** FNV-1a over UTF-16 units. */
function hash(text: string, seed: number): number {
  let value = seed | 0;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value;
}

/** MurmurHash3's finaliser over the value and its position, so that the sum over positions keeps their order. */
function mix(value: number, position: number): number {
  let mixed = Math.imul(value ^ Math.imul(position + 1, 0x9e3779b1), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

const join = (low: number, high: number): number => (low >>> 11) * 0x1_0000_0000 + (high >>> 0);
