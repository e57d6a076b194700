import type { JsonObject } from './json.ts';

/** What a Grace error says beyond its message. */
export interface GraceErrorParts {
  /** Stable, greppable, never reused: `GRACE_<DOMAIN>_<WHAT>`. */
  readonly code: string;
  readonly message: string;
  /** What a person does next. */
  readonly hint?: string;
  readonly details?: JsonObject;
  readonly cause?: unknown;
  /** Whether trying again, unchanged, can help. */
  readonly retryable?: boolean;
}

/** An operating failure: expected, typed, handled. The message says what happened, the hint what to do. */
export class GraceError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly details: JsonObject;
  readonly retryable: boolean;

  constructor(parts: GraceErrorParts) {
    super(parts.message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = new.target.name;
    this.code = parts.code;
    this.hint = parts.hint;
    this.details = parts.details ?? {};
    this.retryable = parts.retryable ?? false;
  }
}

/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The errno-style code of whatever was thrown (`ENOENT`), if it has one. */
export function codeOf(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
