/** What is left of a document that lost everything. */
const EMPTY = /^\s*(?:\[\s*\]|\{\s*\}|null|---)?\s*$/;
const EMPTY_BYTES_MAX = 15;
/** Smaller documents may have been like that on purpose. */
const EMPTIED_BYTES_MIN = 64;
/** What any binary format begins with. */
const SIGNATURE_BYTES = 4;
const NEWLINE = 0x0a;

/** Whether a document that held something is `{}`, `[]` or nothing now. */
export function hasLostEverything(now: Uint8Array, bytesBefore: number): boolean {
  return bytesBefore > EMPTIED_BYTES_MIN && now.length <= EMPTY_BYTES_MAX && EMPTY.test(new TextDecoder().decode(now));
}

/**
 * Whether content is a left-over of what it was: cut off in the middle of a line, or, of a binary format, cut off at all or
 * without the signature it began with.
 */
export function isTorn(now: Uint8Array, before: Uint8Array): boolean {
  const startsAlike = (length: number): boolean => now.subarray(0, length).every((byte, i) => byte === before[i]);
  const isPrefix = now.length > 0 && now.length < before.length && startsAlike(now.length);
  if (before.subarray(0, 512).includes(0)) return isPrefix || !startsAlike(SIGNATURE_BYTES);
  return isPrefix && before.at(-1) === NEWLINE && now.at(-1) !== NEWLINE && before[now.length] !== NEWLINE;
}
