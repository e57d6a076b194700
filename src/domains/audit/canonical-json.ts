import { EntryRefused } from './errors.ts';

/** Far more than anybody writes, and far from the end of the stack. */
const DEPTH_MAX = 200;

/** Gives a text another form, before it is written: for taking out secrets. */
export type Rewrite = (text: string) => string;

/**
 * The canonical JSON of a plain value, in one walk: names in the order of their UTF-16 units, no spaces. What RFC 8785 asks of
 * numbers and strings is what `JSON.stringify` does; a test holds this against the vectors' own library, which is slower.
 * @param path      of the value in its entry, for messages
 * @param rewrite   of every text in it, names included
 * @throws EntryRefused for what RFC 8785 can not write and what other readers would read differently
 * @see    RFC 8785, 3.2
 */
export function canonicalJson(value: unknown, path: string, rewrite: Rewrite | null = null): string {
  return valueText(value, new Place(path, null, 0), rewrite);
}

/** Where a value is; put into words only when something is wrong with it. */
class Place {
  readonly name: string | number;
  readonly above: Place | null;
  readonly depth: number;

  constructor(name: string | number, above: Place | null, depth: number) {
    this.name = name;
    this.above = above;
    this.depth = depth;
  }

  toString(): string {
    if (this.above === null) return String(this.name);
    return typeof this.name === 'number' ? `${this.above}[${this.name}]` : `${this.above}.${shownName(this.name)}`;
  }
}

function valueText(value: unknown, place: Place, rewrite: Rewrite | null): string {
  switch (typeof value) {
    case 'string':
      return stringText(value, place, rewrite);
    case 'number':
      return numberText(value, place);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (place.depth > DEPTH_MAX) throw new EntryRefused(`it is nested deeper than ${DEPTH_MAX} levels`);
      if (Array.isArray(value)) return listText(value, place, rewrite);
      if (isPlainObject(value)) return objectText(value, place, rewrite);
      throw refused(place, 'is an object of a class');
    default:
      throw refused(place, typeof value === 'undefined' ? 'is undefined' : `is a ${typeof value}`);
  }
}

function stringText(value: string, place: Place, rewrite: Rewrite | null): string {
  const text = rewrite === null ? value : rewrite(value);
  if (!text.isWellFormed()) throw refused(place, 'holds half of a surrogate pair');
  return JSON.stringify(text);
}

function numberText(value: number, place: Place): string {
  if (Number.isSafeInteger(value)) return `${value}`; // also -0, which RFC 8785 writes as 0
  if (!Number.isFinite(value)) throw refused(place, `is ${value}, which JSON has no number for`);
  if (Number.isInteger(value)) throw refused(place, 'is a whole number beyond 2^53 - 1');
  return JSON.stringify(value);
}

function listText(list: readonly unknown[], place: Place, rewrite: Rewrite | null): string {
  let text = '[';
  // By index: forEach would pass over holes.
  for (let i = 0; i < list.length; i++) text += `${i === 0 ? '' : ','}${valueText(list[i], new Place(i, place, place.depth + 1), rewrite)}`;
  return `${text}]`;
}

function objectText(given: Readonly<Record<string, unknown>>, place: Place, rewrite: Rewrite | null): string {
  const object = rewrite === null ? given : renamed(given, rewrite);
  const names = Object.keys(object);
  if (!isSorted(names)) names.sort();
  let text = '{';
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    if (!name.isWellFormed()) throw new EntryRefused(`a name in ${place} holds half of a surrogate pair`, { where: `${place}` });
    text += `${i === 0 ? '' : ','}${JSON.stringify(name)}:${valueText(object[name], new Place(name, place, place.depth + 1), rewrite)}`;
  }
  return `${text}}`;
}

/** Hardly ever anything but the same object: names are Grace's own words, until one comes from elsewhere. */
function renamed(object: Readonly<Record<string, unknown>>, rewrite: Rewrite): Readonly<Record<string, unknown>> {
  if (Object.keys(object).every((name) => rewrite(name) === name)) return object;
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [rewrite(name), value]));
}

function isSorted(names: readonly string[]): boolean {
  for (let i = 1; i < names.length; i++) if ((names[i - 1] as string) > (names[i] as string)) return false;
  return true;
}

function refused(place: Place, problem: string): EntryRefused {
  return new EntryRefused(`${place} ${problem}`, { where: `${place}` });
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
