import { EntryRefused } from './errors.ts';

/** Far more than anybody writes, and far from the end of the stack. */
const DEPTH_MAX = 200;

/** Gives a text another form, before it is written: for taking out secrets. */
export type Rewrite = (text: string) => string;

/**
 * The canonical JSON of a plain value, in one walk: names in the order of their UTF-16 units, no spaces. What RFC 8785 asks of
 * numbers and strings is what `JSON.stringify` does; a test holds this against the vectors' own library, which is slower.
 * @param path      of the value in its entry, for messages
 * @param rewrite   of every text in it, names included; of the same text it makes the same one each time
 * @throws EntryRefused for what RFC 8785 can not write and what other readers would read differently
 * @see    RFC 8785, 3.2
 */
export function canonicalJson(value: unknown, path: string, rewrite: Rewrite | null = null): string {
  return valueText(value, { names: [path], rewrite });
}

/** The same of a text. */
export function canonicalText(value: string, path: string, rewrite: Rewrite | null = null): string {
  return quoted(rewrite === null ? value : rewrite(value)) ?? halfPair(path);
}

/** Where the walk is: put into words only when something is wrong there, and one for a whole walk. */
interface Trail {
  /** From the value that was given down to the one that is being written. */
  readonly names: (string | number)[];
  readonly rewrite: Rewrite | null;
}

function placeOf({ names: [path, ...below] }: Trail): string {
  return `${path}${below.map((name) => (typeof name === 'number' ? `[${name}]` : `.${shownName(name)}`)).join('')}`;
}

function valueText(value: unknown, trail: Trail): string {
  switch (typeof value) {
    case 'string':
      return stringText(value, trail);
    case 'number':
      return numberText(value, trail);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (trail.names.length > DEPTH_MAX + 1) throw new EntryRefused(`it is nested deeper than ${DEPTH_MAX} levels`);
      if (Array.isArray(value)) return listText(value, trail);
      if (isPlainObject(value)) return objectText(value, trail);
      throw refused(placeOf(trail), 'is an object of a class');
    default:
      throw refused(placeOf(trail), typeof value === 'undefined' ? 'is undefined' : `is a ${typeof value}`);
  }
}

function stringText(value: string, trail: Trail): string {
  return quoted(trail.rewrite === null ? value : trail.rewrite(value)) ?? halfPair(placeOf(trail));
}

/** Most texts are a word or two: looking at such a one here takes half as long as having it written. */
const WORD_CHARS_MAX = 32;

/** The text in JSON; null when it holds half of a surrogate pair. */
function quoted(text: string): string | null {
  if (text.length <= WORD_CHARS_MAX && isPlain(text)) return `"${text}"`;
  return text.isWellFormed() ? JSON.stringify(text) : null;
}

/** Whether JSON has it as it is: ASCII from space to tilde, but for quote and backslash. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e || unit === 0x22 || unit === 0x5c) return false;
  }
  return true;
}

function halfPair(where: string): never {
  throw refused(where, 'holds half of a surrogate pair');
}

function numberText(value: number, trail: Trail): string {
  if (Number.isSafeInteger(value)) return `${value}`; // also -0, which RFC 8785 writes as 0
  if (!Number.isFinite(value)) throw refused(placeOf(trail), `is ${value}, which JSON has no number for`);
  if (Number.isInteger(value)) throw refused(placeOf(trail), 'is a whole number beyond 2^53 - 1');
  return JSON.stringify(value);
}

function listText(list: readonly unknown[], trail: Trail): string {
  let text = '[';
  // By index: forEach would pass over holes.
  for (let i = 0; i < list.length; i++) {
    trail.names.push(i);
    text += `${i === 0 ? '' : ','}${valueText(list[i], trail)}`;
    trail.names.pop();
  }
  return `${text}]`;
}

function objectText(given: Readonly<Record<string, unknown>>, trail: Trail): string {
  let object = given;
  let names = Object.keys(given);
  if (trail.rewrite !== null && isRenamed(names, trail.rewrite)) {
    object = renamed(given, trail.rewrite);
    names = Object.keys(object);
  }
  names = sorted(names);
  let text = '';
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    text += i === 0 ? `{${nameText(name, trail)}` : `,${nameText(name, trail)}`;
    trail.names.push(name);
    text += valueText(object[name], trail);
    trail.names.pop();
  }
  return text === '' ? '{}' : `${text}}`;
}

/** Names are nearly always the same few words. */
const knownNames = new Map<string, string>();
const KNOWN_NAMES_MAX = 512;
const KNOWN_NAME_CHARS_MAX = 40;

function nameText(name: string, trail: Trail): string {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  if (!name.isWellFormed()) {
    const where = placeOf(trail);
    throw new EntryRefused(`a name in ${where} holds half of a surrogate pair`, { where });
  }
  const text = `${JSON.stringify(name)}:`;
  // Names made by machines would only push out the words.
  if (knownNames.size < KNOWN_NAMES_MAX && name.length <= KNOWN_NAME_CHARS_MAX) knownNames.set(name, text);
  return text;
}

/** Hardly ever: names are Grace's own words, until one comes from elsewhere. */
function isRenamed(names: readonly string[], rewrite: Rewrite): boolean {
  for (let i = 0; i < names.length; i++) if (rewrite(names[i] as string) !== names[i]) return true;
  return false;
}

function renamed(object: Readonly<Record<string, unknown>>, rewrite: Rewrite): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [rewrite(name), value]));
}

/** Up to so many names are sorted in place: what `toSorted` does before it begins takes longer than that. */
const FEW_NAMES_MAX = 16;

function sorted(names: string[]): string[] {
  if (names.length > FEW_NAMES_MAX) return names.toSorted();
  for (let i = 1; i < names.length; i++) {
    const name = names[i] as string;
    let at = i;
    for (; at > 0 && (names[at - 1] as string) > name; at--) names[at] = names[at - 1] as string;
    names[at] = name;
  }
  return names;
}

function refused(where: string, problem: string): EntryRefused {
  return new EntryRefused(`${where} ${problem}`, { where });
}

/** Names come from anywhere; in a message they are short and without control characters. */
function shownName(name: string): string {
  return /^[\w-]{1,64}$/.test(name) ? name : '…';
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
