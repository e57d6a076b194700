/** A command line as an argument array, or why it cannot be one. */
export type Words =
  | { readonly ok: true; readonly argv: readonly string[] }
  | { readonly ok: false; readonly problem: string; readonly suggestion: string };

/** What only a shell would do. Without one it would reach the program as plain text, so it is refused where it is written. */
const SHELL_SYNTAX = /^(?:&&|\|\||[|&;<>`]|\$[A-Za-z_{(])/;

/**
 * Splits a command line into words the way a POSIX shell does: blanks, 'single' and "double" quotes, backslashes.
 * Nothing is expanded and no shell is run.
 */
export function parseWords(line: string): Words {
  if (line.includes('\0')) return refused('holds a null byte', 'remove it');
  const argv: string[] = [];
  let word: string | null = null;
  let quote: '"' | "'" | null = null;
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? '';
    if (quote === "'") {
      if (char === "'") quote = null;
      else word += char;
    } else if (char === '\\') {
      const next = line[at + 1];
      if (next === undefined) return refused('ends with a backslash', 'remove it, or write the command as an array');
      // inside double quotes a backslash only escapes what would end or expand them
      word = (word ?? '') + (quote === '"' && !'"\\$`'.includes(next) ? `\\${next}` : next);
      at++;
    } else if (quote === '"') {
      const shell = /^(?:`|\$[A-Za-z_{(])/.exec(line.slice(at, at + 2));
      if (shell) return needsShell(shell[0], line);
      if (char === '"') quote = null;
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== null) argv.push(word);
      word = null;
    } else {
      const shell = SHELL_SYNTAX.exec(line.slice(at, at + 2));
      if (shell) return needsShell(shell[0], line);
      word = (word ?? '') + char;
    }
  }
  if (quote !== null) return refused(`has an unclosed ${quote}`, 'close the quote, or write the command as an array');
  if (word !== null) argv.push(word);
  if (argv.length === 0 || argv[0] === '') return refused('is empty', 'write the program and its arguments, such as "node server.js"');
  if (/^[A-Za-z_]\w*=/.test(argv[0] ?? '')) return refused(`starts with the variable ${argv[0]}`, 'put it under "env" of this component');
  return { ok: true, argv };
}

function needsShell(syntax: string, line: string): Words {
  return refused(
    `has shell syntax (${syntax.length > 1 && syntax.startsWith('$') ? `${syntax}…` : syntax}), and no shell reads it`,
    line.length > 120 ? 'write ["sh", "-c", "…"] if a shell is meant' : `write ["sh", "-c", ${JSON.stringify(line)}] if a shell is meant`,
  );
}

function refused(problem: string, suggestion: string): Words {
  return { ok: false, problem, suggestion };
}
