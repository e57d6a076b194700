/** What stands for a part that varies. */
export const VARIABLE_TEXT = '<*>';

/**
 * What a token is, as far as it decides whether the token may vary:
 *
 * | kind       | is                                                  | for example             |
 * | ---------- | --------------------------------------------------- | ----------------------- |
 * | `word`     | text that the program's author wrote, as a rule     | `Connection`            |
 * | `mark`     | punctuation                                         | `:`                     |
 * | `variable` | varies, whatever else is seen                       | `<*>`                   |
 * | `key`      | names the value behind it; never varies             | `user` in `user=root`   |
 * | `value`    | stands where values stand: behind `=`, in quotes    | `root` in `user=root`   |
 * | `argument` | alone in the brackets of something                  | `sshd` in `kill(sshd)`  |
 * | `name`     | a dotted name: host, package, class, file           | `org.example.Main`      |
 * | `numbered` | letters and a number: a device, a thread, a version | `eth0`                  |
 * | `flag`     | one of two; says what happened, so it never varies  | `true`                  |
 */
export type TokenKind = 'word' | 'mark' | 'variable' | 'key' | 'value' | 'argument' | 'name' | 'numbered' | 'flag';

export interface Token {
  /** A part of a shape: numbers are `0`. For a variable `VARIABLE_TEXT`. */
  readonly text: string;
  readonly kind: TokenKind;
  /** There was white space before it. Shown, and never decides: programs change it freely. */
  readonly gap: boolean;
}

export const variable = (gap: boolean): Token => ({ text: VARIABLE_TEXT, kind: 'variable', gap });

/** The tokens as one text, for people: `Connection from <*> port <*>`. */
export function templateText(tokens: readonly Token[]): string {
  const parts = tokens.map(({ text, kind, gap }) => (gap ? ' ' : '') + (kind === 'variable' ? text : text.replaceAll('0', VARIABLE_TEXT)));
  return parts.join('').trim();
}
