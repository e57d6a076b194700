import type { Token, TokenKind } from './token.ts';

/**
 * How many different texts must have stood in one position, everything else being equal, before it counts as a variable.
 * Fewer, and two messages of a program would be taken for one; more, and the first users, hosts or files of a log would
 * each be a template. How the thresholds were found, and how little hangs on each: docs/design/0005-log-templates.md.
 */
const TEXTS_MIN: Readonly<Partial<Record<TokenKind, number>>> = {
  // Two hosts or two classes in the same message: nobody writes that message twice.
  name: 2,
  argument: 3,
  // Enumerations have values too, and their few are told apart.
  value: 5,
  numbered: 5,
  word: 5,
};

/** Words in short messages are nearly all of the message: by how many other words there are (0, 1, 2). */
const WORD_TEXTS_MIN_SHORT: readonly number[] = [Number.POSITIVE_INFINITY, 50, 20];

/** A number in one line and a word in another, in the same position: that is a value, whatever it looks like. */
const MIXED_TEXTS_MIN = 2;
/** Other words that such a message must have, so that it is the same message. */
const MIXED_WORDS_MIN = 2;

/** Kinds that may turn out to vary, from the weakest reason to take them for data to the strongest. */
const STRENGTH: readonly TokenKind[] = ['variable', 'word', 'value', 'name', 'argument', 'numbered'];

export const mayVary = ({ kind }: Token): boolean => STRENGTH.includes(kind);
/** Data by where it stands or how it looks; what is not seen to vary yet may still do so together with its like. */
export const isLikelyData = ({ kind }: Token): boolean => kind === 'value' || kind === 'name' || kind === 'argument';

export const isWord = ({ kind }: Token): boolean => kind === 'word' || kind === 'name';

export const strongerKind = (a: TokenKind, b: TokenKind): TokenKind => (STRENGTH.indexOf(a) >= STRENGTH.indexOf(b) ? a : b);

/**
 * @param kind         the strongest kind seen in the position
 * @param isMixed      a variable was seen there too
 * @param otherWords   words of the message besides this position
 * @returns            how many different texts make the position a variable; Infinity for never
 */
export function textsNeeded(kind: TokenKind, isMixed: boolean, otherWords: number): number {
  if (isMixed && otherWords >= MIXED_WORDS_MIN) return MIXED_TEXTS_MIN;
  if (kind === 'word') return WORD_TEXTS_MIN_SHORT[otherWords] ?? TEXTS_MIN.word ?? Number.POSITIVE_INFINITY;
  if (otherWords < 1) return Number.POSITIVE_INFINITY;
  return TEXTS_MIN[kind] ?? Number.POSITIVE_INFINITY;
}

/** Skeletons that must be alike in all but likely data before several positions are judged together. */
export const JOINT_SKELETONS_MIN = 3;
/** The same for positions that vary together; words are not judged so. */
export const jointTextsNeeded = (kind: TokenKind): number => TEXTS_MIN[kind === 'argument' ? 'value' : kind] ?? Number.POSITIVE_INFINITY;
