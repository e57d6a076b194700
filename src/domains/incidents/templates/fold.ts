import { variable, type Token } from './token.ts';
import { isNumber, isUnit } from './values.ts';

/** Between variables these only say that there are several: `10.0.0.1:80`, `3/4`, `1, 2, 3`. */
const JOINS: ReadonlySet<string> = new Set([':', ',', ';', '/', '|', '+', '-', 'x']);
/** Where a value is left out, one of these follows its `=`. */
const ENDS_VALUE: ReadonlySet<string> = new Set([',', ';', ')', ']', '}', '|']);

/**
 * Makes one variable of any number of them in a row, so that a list has one template whatever its length, and puts a
 * variable where a value is missing (`ruser= rhost=…`).
 */
export function foldVariables(tokens: readonly Token[]): readonly Token[] {
  return foldRepeats(foldRuns(tokens));
}

function foldRuns(tokens: readonly Token[]): readonly Token[] {
  const folded: Token[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token === undefined) break;
    if (token.kind === 'variable') {
      if (isUnit(tokens[i + 1]?.text) && isNumber(token.text)) i++;
      pushVariable(folded, token.gap);
    } else if (token.kind === 'numbered' && tokens[i + 1]?.kind === 'numbered') {
      // `dn1 dn2 cn7`
      while (tokens[i + 1]?.kind === 'numbered') i++;
      pushVariable(folded, token.gap);
    } else {
      folded.push(token);
      if (i > 0 && token.text === '=' && isValueMissing(tokens, i + 1)) folded.push(variable(false));
    }
  }
  return folded;
}

function pushVariable(folded: Token[], gap: boolean): void {
  const last = folded.at(-1);
  if (last?.kind === 'variable') return;
  if (last?.kind === 'mark' && JOINS.has(last.text) && folded.at(-2)?.kind === 'variable') folded.pop();
  else folded.push(variable(gap));
}

function isValueMissing(tokens: readonly Token[], at: number): boolean {
  const next = tokens[at];
  if (next === undefined || (next.kind === 'mark' && ENDS_VALUE.has(next.text))) return true;
  return next.gap && tokens[at + 1]?.text === '=';
}

/** Tokens of one item of a list of items that are looked for. */
const ITEM_TOKENS_MAX = 8;

/** `n1 up, n2 up, n3 up`: what repeats with other values is a list, and its length a value like those. */
function foldRepeats(tokens: readonly Token[]): readonly Token[] {
  const folded: Token[] = [];
  for (const token of tokens) {
    folded.push(token);
    for (let length = 2; length <= ITEM_TOKENS_MAX; length++) {
      const repeated = repeatedTokens(folded, length);
      if (repeated === 0) continue;
      folded.length -= repeated;
      break;
    }
  }
  return folded;
}

/** How many tokens at the end repeat an item of this length before them, with what joins the two; 0 when they do not. */
function repeatedTokens(tokens: readonly Token[], length: number): number {
  if (isSameAsBefore(tokens, length, length)) return length;
  const between = tokens[tokens.length - length - 1];
  const isJoined = between?.kind === 'mark' && JOINS.has(between.text);
  return isJoined && isSameAsBefore(tokens, length, length + 1) ? length + 1 : 0;
}

function isSameAsBefore(tokens: readonly Token[], length: number, distance: number): boolean {
  if (tokens.length < length + distance) return false;
  let hasVariable = false;
  for (let i = tokens.length - length; i < tokens.length; i++) {
    if (tokens[i]?.text !== tokens[i - distance]?.text) return false;
    if (tokens[i]?.kind === 'variable') hasVariable = true;
  }
  // Repeated words are a word said twice.
  return hasVariable;
}
