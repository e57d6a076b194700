/** What a signature is made of, in the order in which it is compared and told. */
export const SIGNATURE_PART_NAMES = [
  'version', // of the rules that made it
  'component',
  'runtime', // who failed, and who said so: `node`, `node/sqlite`
  'kind', // `port_in_use`, `exception`, `unexplained` …
  'code', // `EADDRINUSE`, `42P01`, `TypeError`
  'operation', // what was tried: `listen`, `open`, `connect`
  'outcome', // how it ended: `exit:3`, `signal:SIGSEGV`, `not_ready`; empty where the cause is known
  'subject', // what it is about, masked
  'message', // the words it was said in, masked
  'place', // file and function of the service's own code, without line
] as const;

export type SignaturePartName = (typeof SIGNATURE_PART_NAMES)[number];

/** One part of a signature, in clear. An empty value says that there was nothing to tell. */
export interface SignaturePart {
  readonly name: SignaturePartName;
  readonly value: string;
}

/** In which part two signatures differ. */
export interface SignatureDifference {
  readonly name: SignaturePartName;
  readonly a: string;
  readonly b: string;
  /** The difference as a sentence, without a full stop. */
  readonly words: string;
}

const WORDS: Readonly<Record<SignaturePartName, string>> = {
  version: 'they were signed by different versions of the rules',
  component: 'they happened in different components',
  runtime: 'different programs say it',
  kind: 'they are different kinds of failure',
  code: 'the code differs',
  operation: 'something else was tried',
  outcome: 'they ended differently',
  subject: 'they are about different things',
  message: 'they say different words',
  place: 'they come from different places in the code',
};

/**
 * The parts in which two failures differ, the most telling first. None: they are one failure to Grace.
 * Parts of different versions are compared as far as both have them.
 */
export function compareSignatures(a: readonly SignaturePart[], b: readonly SignaturePart[]): readonly SignatureDifference[] {
  const inA = new Map(a.map((part) => [part.name, part.value]));
  const inB = new Map(b.map((part) => [part.name, part.value]));
  const differences: SignatureDifference[] = [];
  for (const name of SIGNATURE_PART_NAMES) {
    const [left, right] = [inA.get(name), inB.get(name)];
    // What one of them never looked at says nothing about the other.
    if (left === undefined || right === undefined || left === right) continue;
    differences.push({ name, a: left, b: right, words: `${WORDS[name]}: ${shown(left)} and ${shown(right)}` });
  }
  return differences;
}

function shown(value: string): string {
  return value === '' ? 'nothing' : value;
}

/** The parts of version 1 had no names: version, component, family, subject, place; its family was four parts in one. */
const FAMILY_OF_VERSION_1 = ['runtime', 'kind', 'code', 'outcome'] as const;

/**
 * Parts as a store gives them back: those of version 1 get their names, anything else that is unknown is left out.
 * @param stored   `signatureParts` of a failure as it was parsed from JSON
 */
export function readSignatureParts(stored: unknown): readonly SignaturePart[] {
  if (!Array.isArray(stored)) return [];
  if (stored.every((part) => typeof part === 'string')) return partsOfVersion1(stored);
  return stored.flatMap((part: unknown) => {
    if (typeof part !== 'object' || part === null || !('name' in part) || !('value' in part)) return [];
    const name = SIGNATURE_PART_NAMES.find((known) => known === part.name);
    return name === undefined || typeof part.value !== 'string' ? [] : [{ name, value: part.value }];
  });
}

function partsOfVersion1(stored: readonly string[]): readonly SignaturePart[] {
  const [version, component, family, subject, place] = stored;
  if (version === undefined) return [];
  const parts: SignaturePart[] = [{ name: 'version', value: version.replace(/^v/, '') }];
  if (component !== undefined) parts.push({ name: 'component', value: component });
  if (family !== undefined) {
    const values = family.split('|');
    FAMILY_OF_VERSION_1.forEach((name, at) => parts.push({ name, value: values[at] ?? '' }));
  }
  if (subject !== undefined) parts.push({ name: 'subject', value: subject });
  if (place !== undefined) parts.push({ name: 'place', value: place });
  return parts;
}
