import { basename } from 'node:path';

/** Programs that go on as another user, and where they are told which. */
const AFTER_OPTION: Readonly<Record<string, RegExp>> = {
  sudo: /^(?:-u|--user)$/,
  runuser: /^(?:-u|--user)$/,
  setpriv: /^(?:--reuid|--ruid)$/,
  chpst: /^-u$/,
};
const FIRST_WORD = new Set(['gosu', 'su-exec', 's6-setuidgid', 'setuidgid']);
const WORDS_LOOKED_AT = 12;

/** Who a command says the service runs as: name or number; null for whoever runs Grace. */
export function serviceUser(command: readonly string[]): string | null {
  const words = command.slice(0, WORDS_LOOKED_AT);
  for (const [i, word] of words.entries()) {
    const name = basename(word);
    const option = AFTER_OPTION[name];
    if (FIRST_WORD.has(name)) return nameIn(words[i + 1]);
    if (name === 'su') return nameIn(words.slice(i + 1).find((w) => !w.startsWith('-')) ?? 'root');
    if (option === undefined) continue;
    for (const [j, later] of words.slice(i + 1).entries()) {
      const [key = '', value] = later.split('=', 2);
      if (option.test(key)) return nameIn(value ?? words[i + j + 2]);
    }
  }
  return null;
}

/** `app:staff` and `app` are the same user. */
function nameIn(word: string | undefined): string | null {
  const name = word?.split(':')[0];
  return name !== undefined && /^[A-Za-z_0-9][\w.-]{0,31}$/.test(name) ? name : null;
}
