import type { FactKind, FactRuntime } from '../../domains/incidents/index.ts';
import type { TranscriptLine } from './transcript.ts';

/** Where a rule stands: some errors are spread over several lines. */
export interface Place {
  readonly lines: readonly TranscriptLine[];
  readonly at: number;
}

/** What a rule understood; the place and the runtime are added by the reader. */
export interface Draft {
  readonly kind: FactKind;
  readonly subject?: string;
  readonly code?: string;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
  readonly runtime?: FactRuntime;
  /** How many lines above the matched one it was said. */
  readonly linesAbove?: number;
  /** The same sentence whatever it quotes, where the line quotes what differs each time: see `Fact.said`. */
  readonly said?: string;
  /** How many causes stand above it, when the line itself shows that. */
  readonly depth?: number;
}

/**
 * One sentence that programs say when they fail.
 * A line reaches `pattern` only when it contains one of `hints` (see hints).
 * Patterns are bounded and start at a literal or at a word boundary, so that no line makes them backtrack.
 */
export interface Rule {
  readonly hints: readonly string[];
  readonly pattern: RegExp;
  /** Null when this is not the sentence after all; no drafts when it is, but another line says it better. */
  readonly read: (found: RegExpExecArray, place: Place) => Draft | readonly Draft[] | null;
}

/** What one program or language says. */
export interface Reader {
  readonly runtime: FactRuntime;
  readonly rules: readonly Rule[];
  /** Uncaught errors of this language: asked only when no rule of any reader understood the line. */
  readonly exceptions?: readonly Rule[];
}

export function rule(hints: readonly string[], pattern: RegExp, read: Rule['read']): Rule {
  return { hints, pattern, read };
}

/** The first match in the `count` lines after this one. */
export function after(place: Place, count: number, pattern: RegExp): RegExpExecArray | null {
  const end = Math.min(place.lines.length, place.at + 1 + count);
  for (let i = place.at + 1; i < end; i++) {
    const found = pattern.exec(place.lines[i]?.text ?? '');
    if (found) return found;
  }
  return null;
}

/** The nearest match in the `count` lines before this one. */
export function before(place: Place, count: number, pattern: RegExp): RegExpExecArray | null {
  const end = Math.max(0, place.at - count);
  for (let i = place.at - 1; i >= end; i--) {
    const found = pattern.exec(place.lines[i]?.text ?? '');
    if (found) return found;
  }
  return null;
}

export function near(place: Place, count: number, pattern: RegExp): RegExpExecArray | null {
  return before(place, count, pattern) ?? after(place, count, pattern);
}

export function lineAt(place: Place, offset: number): string {
  return place.lines[place.at + offset]?.text ?? '';
}

/** Details without those that the message did not name. */
export function named(details: Readonly<Record<string, string | number | boolean | undefined>>): Record<string, string | number | boolean> {
  const kept: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(details)) {
    if (value !== undefined && value !== '' && !Number.isNaN(value)) kept[name] = value;
  }
  return kept;
}
