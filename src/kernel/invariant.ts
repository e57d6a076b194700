/** A programmer's mistake: never handled as an outcome. */
export class InvariantViolated extends Error {
  override readonly name = 'InvariantViolated';
}

/** @param why says why the condition holds, so that a broken one explains itself */
export function invariant(condition: unknown, why: string): asserts condition {
  if (!condition) throw new InvariantViolated(why);
}
