import type { Json } from '../../kernel/index.ts';
import type { Found } from './detect-command.ts';

/** Where a value was said; the later in this list wins. */
export type Source = 'default' | 'detected' | 'file' | 'environment' | 'flag';

/** Why a setting is what it is. */
export interface Origin {
  readonly source: Source;
  /** For defaults and detections: the reason in one line; for the environment: the variable. */
  readonly reason: string | null;
  /** As a person would write it. Not redacted: `explain` does that. */
  readonly value: Json;
}

/** Settings by path: `components.api.port`. */
export type Provenance = ReadonlyMap<string, Origin>;

/** A value that somebody gave, or undefined; `reason` as in Origin. */
export interface Candidate<T> {
  readonly source: Source;
  readonly value: T | undefined;
  readonly reason?: string | null | undefined;
}

export function inFile<T>(value: T | undefined): Candidate<T> {
  return { source: 'file', value };
}

export function flag<T>(value: T | undefined): Candidate<T> {
  return { source: 'flag', value };
}

export function found<T>(value: Found<T> | undefined): Candidate<T> {
  return { source: 'detected', value: value?.value, reason: value?.reason };
}

/** Chooses among candidates and remembers the choice. */
export class Chooser {
  readonly provenance = new Map<string, Origin>();

  /** @param candidates strongest first; the last one must have a value */
  choose<T>(path: string, ...candidates: readonly [...Candidate<T>[], { source: Source; value: T; reason?: string | null }]): T {
    const chosen = candidates.find((candidate) => candidate.value !== undefined);
    const value = chosen?.value as T;
    this.provenance.set(path, {
      source: chosen?.source ?? 'default',
      reason: chosen?.reason ?? null,
      value: value as Json,
    });
    return value;
  }
}
