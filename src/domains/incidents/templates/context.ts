import { variable, type Token } from './token.ts';
import { isHttpMethod, isLocation, isMessageKey, isNothing, isUnit } from './values.ts';

/**
 * Reads tokens by what stands around them: keys and values, arguments, and the structures in which programs print
 * objects, addresses, sizes and lists. What is surely data becomes a variable.
 */
export function readInContext(tokens: Token[]): Token[] {
  const read = tokens.map((token, i) => inContext(tokens, token, i));
  foldAddresses(read);
  foldRestatedSizes(read);
  foldLists(read);
  maskSiblingSlots(read);
  foldObjects(read);
  return read;
}

function inContext(tokens: readonly Token[], token: Token, i: number): Token {
  // The path of a request, if it is the shortest one.
  if (token.text === '/' && isHttpMethod(tokens[i - 1]?.text)) return variable(token.gap);
  if (token.kind === 'mark' || token.kind === 'key' || token.kind === 'value') return token;
  const next = tokens[i + 1];
  if (next?.text === '=') return isKey(token) ? { ...token, kind: 'key' } : token;
  const before = tokens[i - 1];
  if (before === undefined || i < 2) return token;
  const owner = tokens[i - 2];
  if (isMessageKey(owner?.text)) return token;
  if (before.text === '=' || isTightColon(tokens, i) || isJsonColon(tokens, i - 1)) return asValue(token, 'value');
  const isAlone = (before.text === '(' && next?.text === ')') || (before.text === '[' && next?.text === ']');
  if (!isAlone || token.gap) return token;
  // `kill(sshd)`, `Thread[main]`, `process 17 (python)`; but in `lock (shared)` the word explains.
  const isOwned = !before.gap ? owner?.kind === 'word' || owner?.kind === 'variable' || before.text === '[' : owner?.kind === 'variable';
  return isOwned && (token.kind === 'word' || isNothing(token.text)) ? asValue(token, 'argument') : token;
}

/** The name before `=`: `user=`, also `r05=`; not a number, a path or a flag. */
function isKey({ kind, text }: Token): boolean {
  return kind === 'word' || kind === 'name' || kind === 'numbered' || (kind === 'variable' && /[A-Za-z]/.test(text) && !isLocation(text));
}

/** `ret:false`, `action:android.intent`; not `std::map`, not `Error: text`. */
function isTightColon(tokens: readonly Token[], i: number): boolean {
  const colon = tokens[i - 1];
  if (colon?.text !== ':' || colon.gap || tokens[i]?.gap === true) return false;
  const owner = tokens[i - 2]?.kind;
  return (owner === 'word' || owner === 'name' || owner === 'numbered') && tokens[i + 1]?.text !== ':';
}

/** `"err":null` */
function isJsonColon(tokens: readonly Token[], i: number): boolean {
  return tokens[i]?.text === ':' && tokens[i - 1]?.text === '"' && tokens[i - 2]?.kind === 'key';
}

function asValue(token: Token, kind: 'value' | 'argument'): Token {
  if (isNothing(token.text)) return variable(token.gap);
  return token.kind === 'word' || (kind === 'value' && token.kind === 'numbered') ? { ...token, kind } : token;
}

/** `db.example:5432` is one address, like `10.0.0.1:5432`. A place in the code has capitals: `Main.java:17`. */
function foldAddresses(tokens: Token[]): void {
  for (let i = 0; i + 2 < tokens.length; i++) {
    const [host, colon, port] = [tokens[i], tokens[i + 1], tokens[i + 2]];
    if ((host?.kind !== 'name' && host?.kind !== 'word') || !/^[a-z][a-z-]*(?:\.[a-z-]+)+$/.test(host.text)) continue;
    if (colon?.text === ':' && !colon.gap && port?.text === '0' && !port.gap) tokens.splice(i, 3, variable(host.gap));
  }
}

/** `2048 bytes (2.00 KB)`: the bracket repeats the number, and only when it is large. */
function foldRestatedSizes(tokens: Token[]): void {
  for (let i = 0; i + 5 < tokens.length; i++) {
    const [amount, unit, open, again, unitAgain, close] = tokens.slice(i, i + 6);
    if (amount?.kind !== 'variable' || !isUnit(unit?.text) || open?.text !== '(') continue;
    if (again?.kind === 'variable' && isUnit(unitAgain?.text) && close?.text === ')') tokens.splice(i + 2, 4);
  }
}

/** `[TERM, HUP, INT]`: a list in brackets has as many parts as there happened to be. */
function foldLists(tokens: Token[]): void {
  for (let open = 0; open + 3 < tokens.length; open++) {
    const close = tokens[open]?.text === '(' ? ')' : tokens[open]?.text === '[' ? ']' : tokens[open]?.text === '{' ? '}' : null;
    if (close === null) continue;
    let end = open + 1;
    while (isPlain(tokens[end]) && tokens[end + 1]?.text === ',') end += 2;
    if (end > open + 1 && isPlain(tokens[end]) && tokens[end + 1]?.text === close) {
      tokens.splice(open + 1, end - open, variable(tokens[open + 1]?.gap ?? false));
    }
  }
}

const isPlain = (token: Token | undefined): boolean =>
  token !== undefined && token.kind !== 'mark' && token.kind !== 'flag' && token.kind !== 'key';

/** Tokens between the brackets of a slot's label. */
const LABEL_TOKENS_MAX = 4;

/** `2 (leader), 0x1 (round), LOOKING (state)`: where two slots of such a row hold numbers, the others hold values too. */
function maskSiblingSlots(tokens: Token[]): void {
  const words: number[] = [];
  let variables = 0;
  for (const [i, token] of tokens.entries()) {
    const open = tokens[i + 1];
    if ((token.kind !== 'word' && token.kind !== 'variable') || open?.text !== '(' || !open.gap) continue;
    const close = tokens.findIndex((other, at) => at > i + 1 && other.text === ')');
    const behind = tokens[close + 1]?.text;
    if (close < 0 || close > i + 2 + LABEL_TOKENS_MAX || (behind !== undefined && behind !== ',' && behind !== ';')) continue;
    if (token.kind === 'variable') variables++;
    else words.push(i);
  }
  if (variables >= 2) for (const i of words) tokens[i] = variable(tokens[i]?.gap ?? false);
}

/** `owner=Group{17}`: an object printed with nothing but its numbers, where others have `owner=null`. */
function foldObjects(tokens: Token[]): void {
  for (let i = 0; i + 4 < tokens.length; i++) {
    const name = tokens[i + 1];
    const open = tokens[i + 2];
    if (tokens[i]?.text !== '=' || (name?.kind !== 'value' && name?.kind !== 'word') || open?.gap !== false) continue;
    if (!['{', '(', '['].includes(open.text)) continue;
    let end = i + 3;
    while (tokens[end]?.kind === 'variable') end++;
    if (end > i + 3 && ['}', ')', ']'].includes(tokens[end]?.text ?? '')) tokens.splice(i + 1, end - i, variable(name.gap));
  }
}
