import { GraceError, type JsonObject } from '../kernel/index.ts';

/** A primitive acted and did not reach what it promised. What it had begun is undone through its record. */
export class PrimitiveFailed extends GraceError {
  constructor(
    primitive: string,
    problem: string,
    parts: { hint?: string; details?: JsonObject; cause?: unknown; retryable?: boolean } = {},
  ) {
    super({ code: 'GRACE_PRIMITIVES_FAILED', message: `${primitive}: ${problem}`, ...parts, details: { primitive, ...parts.details } });
  }
}

/** This very use had no way back, as its plan said: what it did stays, and somebody has to know. */
export class UndoRefused extends GraceError {
  constructor(primitive: string, problem: string, hint = 'compare both by hand: nothing was removed') {
    super({ code: 'GRACE_PRIMITIVES_UNDO_REFUSED', message: `${primitive} is not undone: ${problem}`, hint, details: { primitive } });
  }
}
