import { GraceError } from '../../kernel/index.ts';

/** One thing that is wrong with the settings, wherever it was written. */
export interface Mistake {
  /** `components.api.port`, `SELF_HEAL_EXECUTE`, or empty for the file as a whole. */
  readonly path: string;
  /** Reads on after the path: `must be a whole number from 1 to 65535, not 70000`. */
  readonly problem: string;
  /** What to write instead, when we can tell. */
  readonly suggestion: string | null;
  /** `grace.config.yaml:4:11`, `environment`, or null when it is not known. */
  readonly location: string | null;
}

/** A person corrects twenty at a time; more would only scroll away, and a hostile file could make millions. */
export const MISTAKES_MAX = 200;

/** `grace.config.json:4:11` for the value or the key at a path; null where the format does not say. */
export type Locate = (path: readonly PropertyKey[], what?: 'key' | 'value') => string | null;

/** Collects mistakes while settings are read, so that all of them are reported at once. */
export class Mistakes {
  private readonly kept: Mistake[] = [];
  private readonly paths = new Set<string>();
  private readonly locate: Locate;
  private count = 0;

  constructor(locate: Locate = () => null) {
    this.locate = locate;
  }

  /** A mistake in the config file; a second one at the same path is a consequence of the first and is dropped. */
  at(path: readonly PropertyKey[], problem: string, suggestion: string | null = null, what: 'key' | 'value' = 'value'): void {
    const text = pathText(path);
    if (this.paths.has(text)) return;
    if (!this.isFull) this.paths.add(text);
    this.add(text, problem, suggestion, this.isFull ? null : this.nearestLocation(path, what));
  }

  /** A mistake anywhere else. */
  add(path: string, problem: string, suggestion: string | null, location: string | null): void {
    this.count++;
    if (!this.isFull) this.kept.push({ path, problem, suggestion, location });
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** Once full, looking for suggestions is wasted work. */
  get isFull(): boolean {
    return this.kept.length >= MISTAKES_MAX;
  }

  /** @throws ConfigInvalid when there is at least one */
  throwIfAny(file: string | null): void {
    if (this.count > 0) throw new ConfigInvalid(file, this.kept, this.count);
  }

  /** What is missing has no place of its own: that of its parent is the next best. */
  private nearestLocation(path: readonly PropertyKey[], what: 'key' | 'value'): string | null {
    for (let length = path.length; length > 0; length--) {
      const location = this.locate(path.slice(0, length), length === path.length ? what : 'key');
      if (location !== null) return location;
    }
    return this.locate([]);
  }
}

/** The settings cannot be used; lists every mistake that was found in one pass. */
export class ConfigInvalid extends GraceError {
  readonly mistakes: readonly Mistake[];

  constructor(file: string | null, mistakes: readonly Mistake[], count = mistakes.length, cause?: unknown) {
    const what = file ?? 'the settings';
    const rest = count - mistakes.length;
    super({
      code: 'GRACE_CONFIG_INVALID',
      message: [
        count === 1 ? `${what} has a mistake:` : `${what} has ${count} mistakes:`,
        ...mistakes.map((mistake) => `  ${describeMistake(mistake)}`),
        ...(rest > 0 ? [`  and ${rest} more`] : []),
      ].join('\n'),
      hint: 'correct them and try again; nothing was started or changed',
      details: { file, mistakes: mistakes.map((mistake) => ({ ...mistake })) },
      ...(cause === undefined ? {} : { cause }),
    });
    this.mistakes = mistakes;
  }
}

/** A file that cannot be read as a whole: one mistake about all of it. */
export function fileInvalid(
  file: string,
  problem: string,
  parts: { suggestion?: string; location?: string; cause?: unknown } = {},
): ConfigInvalid {
  return new ConfigInvalid(
    file,
    [{ path: '', problem, suggestion: parts.suggestion ?? null, location: parts.location ?? null }],
    1,
    parts.cause,
  );
}

function describeMistake({ path, problem, suggestion, location }: Mistake): string {
  const head = path === '' ? problem : `${path}: ${problem}`;
  return `${head}${suggestion === null ? '' : `; ${suggestion}`}${location === null ? '' : ` (${location})`}`;
}

/** `components.api.command[1]`; keys that are no plain words are quoted. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = clip(String(key));
    if (!/^[\w$-]+$/.test(name)) return `${text}[${JSON.stringify(name)}]`;
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

/** Longer names are somebody's data, not a typing mistake; and the distance costs their product. */
const NAME_CHARS_MAX = 64;

function clip(text: string): string {
  return text.length <= NAME_CHARS_MAX ? text : `${text.slice(0, NAME_CHARS_MAX)}…`;
}

/** `did you mean "command"?`, or null when nothing known is near enough to be a slip of the hand. */
export function didYouMean(written: string, known: Iterable<string>): string | null {
  const near = nearest(written, known);
  return near === null ? null : `did you mean ${JSON.stringify(near)}?`;
}

function nearest(written: string, known: Iterable<string>): string | null {
  if (written.length > NAME_CHARS_MAX) return null;
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(written.length / 3)) + 1;
  for (const name of known) {
    if (Math.abs(name.length - written.length) >= bestDistance || name.length > NAME_CHARS_MAX) continue;
    const distance = editDistance(written.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      row.push(least);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
