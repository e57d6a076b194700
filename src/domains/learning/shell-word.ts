import { REDACTED } from '../incidents/index.ts';

/** What a shell takes as it stands: nothing that it expands, splits or redirects. */
const PLAIN = /^[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./-]*$/;
/** Longer ones are no path that anybody pastes. */
const WORD_CHARS_MAX = 300;

/**
 * Text as one word of a POSIX shell, whatever is in it: error text ends up in commands that people paste.
 * @returns null where it cannot be shown as one: empty, too long, with control characters, or with a secret cut out of it
 */
export function shellWord(text: string): string | null {
  // oxlint-disable-next-line no-control-regex -- a line break in a pasted command would run what follows it
  if (text === '' || text.length > WORD_CHARS_MAX || /[\u0000-\u001F\u007F-\u009F]/.test(text) || text.includes(REDACTED)) return null;
  if (PLAIN.test(text)) return text;
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A command from its words. @returns null where one of them cannot be shown */
export function shellCommand(...words: readonly string[]): string | null {
  const shown = words.map(shellWord);
  return shown.some((word) => word === null) ? null : shown.join(' ');
}
