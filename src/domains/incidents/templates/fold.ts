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
  const folded: Token[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token === undefined) break;
    if (token.kind === 'variable') {
      if (isUnit(tokens[i + 1]?.text) && isNumber(token.text)) i++;
      pushVariable(folded, token.gap);
    } else if (token.kind === 'numbered' && tokens[i + 1]?.text === token.text) {
      // `dn1 dn2 dn3`
      while (tokens[i + 1]?.text === token.text) i++;
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
