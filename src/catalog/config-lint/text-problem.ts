import type { TextProblem } from '../../domains/preflight/index.ts';
import { isSecretName } from '../../domains/incidents/index.ts';
import { isDefaultSecret } from './weak-secret.ts';

/** Names are shown, and come from files that anybody may have written. */
const NAME_CHARS_MAX = 60;

export interface Place {
  readonly line: number;
  readonly column: number;
}

export function brokenAt(place: Place, message: string): TextProblem {
  return { kind: 'broken', code: 'config_broken', message, line: place.line, column: place.column };
}

export function twiceAt(place: Place, name: string, first: number): TextProblem {
  const message = `"${shownName(name)}" is there a second time; the first is in line ${first}`;
  return { kind: 'doubtful', code: 'key_twice', message, line: place.line, column: place.column };
}

/** A value that was never filled in, under a name that says secret; the value stays in here. */
export function placeholderAt(place: Place, name: string, value: unknown): TextProblem | null {
  if (typeof value !== 'string' || !isSecretName(name) || !isDefaultSecret(value)) return null;
  const message = `"${shownName(name)}" has a placeholder or a default as its value`;
  return { kind: 'doubtful', code: 'secret_placeholder', message, line: place.line, column: place.column };
}

export function shownName(name: string): string {
  return name.length > NAME_CHARS_MAX ? `${name.slice(0, NAME_CHARS_MAX)}…` : name;
}
