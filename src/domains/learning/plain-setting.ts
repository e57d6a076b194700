import { isSecretName } from '../incidents/index.ts';

/** Longer values are no settings. */
const CHARS_MAX = 200;
/** A word with letters and digits mixed is drawn by lot from here on, one of letters or digits alone from here on. */
const MIXED_CHARS_MAX = 11;
const WORD_CHARS_MAX = 23;
const DIGITS_MAX = 11;

/**
 * Whether a variable is a setting that may be written into a playbook: a mode, a host, a path, a number. A name says much
 * and not everything: what looks like a key, a token or a card number is none, whatever it is called.
 */
export function isPlainSetting(name: string, value: string): boolean {
  if (isSecretName(name) || value.length > CHARS_MAX || !/^[\w .,:/@+=~-]*$/.test(value)) return false;
  // What stands before an @ logs somebody in.
  if (/:[^/]*@/.test(value)) return false;
  return value.split(/[^A-Za-z0-9]+/).every((word) => {
    const [hasLetters, hasDigits] = [/[A-Za-z]/.test(word), /\d/.test(word)];
    const max = hasLetters && hasDigits ? MIXED_CHARS_MAX : hasDigits ? DIGITS_MAX : WORD_CHARS_MAX;
    return word.length <= max;
  });
}
