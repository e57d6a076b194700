import { basename } from 'node:path';

// A command is allowed word by word. A program that takes one of these words for a program text makes that worth nothing, so none
// is run this way. What a file holds was there, or was written in the open.

/** They read a text as a program with `-c`, whatever stands before them: `env`, `timeout`, `busybox`, `find -exec`. */
const SHELLS = new Set(
  [
    'sh', 'ash', 'bash', 'bosh', 'brush', 'csh', 'bsd-csh', 'dash', 'elvish', 'es', 'fish', 'hush', 'ion', 'jsh', 'ksh', 'lksh', 'loksh', 'mksh', 'mrsh',
    'murex', 'nu', 'nushell', 'oils-for-unix', 'oksh', 'osh', 'pbosh', 'pdksh', 'posh', 'powershell', 'pwsh', 'rbash', 'rc', 'rksh', 'rmksh', 'runuser',
    'rzsh', 'sash', 'scsh', 'su', 'tcsh', 'xonsh', 'yash', 'ysh', 'zsh',
  ], // prettier-ignore
);
/** `ksh93`, `bash-5.2`, `zsh5`, `bash-static`, `pwsh-preview`, `pwsh.exe`, `python3.12` are those programs too. */
const OF_A_VERSION = /(?:[-.]?\d[\w.+-]{0,15}|[-.](?:exe|lts|preview|static))$/;

/** Wherever it stands: `-c`, `-lc`, `--command`, `-Command`, `--init-command`; `-cTEXT` where the text is part of the word. */
const SHELL_TEXT = /^-(?:[A-Za-z]{0,16}c|c.{0,4096}|-?(?:init-|session-)?[Cc]ommands?(?:=.{0,4096})?)$/;
/** Among its own options: any that are written together, with `c` among them. `-xce`, `-euco`, `+c`. */
const SHELL_OPTIONS = /^[-+][A-Za-z0-9]{0,32}c/;
/** The next word is theirs and not yet the script: `-eo pipefail`, `+O extglob`, `--rcfile FILE`. */
const SHELL_TAKES = /^[-+][A-Za-z]{0,16}[oORTAdDfP]$|^--[^=]{1,80}$/;
/** What only some have for it; of pwsh every beginning of the option, in any case. */
const POWERSHELL = /^[-/]{1,2}(?:c(?:om[a-z]{0,16})?|cwa|commandwithargs|ec?|enc[a-z]{0,16})$/i;
const SWITCHES_USER = /^-[A-Za-z]{0,16}c|^--(?:session-)?c(?:o[a-z]{0,8})?(?:=|$)/;
const SHELL_TEXT_TOO: Readonly<Record<string, RegExp>> = {
  fish: /^-[A-Za-z]{0,16}[cC]|^--(?:init-)?c(?:o[a-z]{0,8})?(?:=|$)/,
  nu: /^-(?:[a-z]{0,16}[ec]|-(?:execute|commands?)(?:=.{0,4096})?)$/,
  nushell: /^-(?:[a-z]{0,16}[ec]|-(?:execute|commands?)(?:=.{0,4096})?)$/,
  powershell: POWERSHELL,
  pwsh: POWERSHELL,
  runuser: SWITCHES_USER,
  su: SWITCHES_USER,
};

/** Others that read a text when one of their own options says so: options are the words before the first that is none. */
interface Interpreter {
  readonly text: RegExp;
  /** Options whose value is the next word. */
  readonly takes?: RegExp;
}

const PYTHON: Interpreter = { text: /^-[A-Za-z]{0,16}c/, takes: /^-[A-Za-z]{0,16}[WX]$|^--check-hash-based-pycs$/ };
const NODE: Interpreter = {
  text: /^-[a-z]{0,8}[ep]|^--(?:eval|print)(?:=|$)|^--(?:import|require|(?:experimental-)?loader)=data:/,
  takes: /^-[rC]$|^--[^=]{1,80}$/,
};
const PERL: Interpreter = { text: /^-[^-]{0,80}[eE]|^-[mM].{0,4096}[^\w:=,.]/, takes: /^-[I]$/ };
const RUBY: Interpreter = { text: /^-[A-Za-z0-9]{0,16}e/, takes: /^-[ICEr]$/ };
const EVALUATES: Interpreter = { text: /^-{1,2}(?:[A-Za-z]{0,8}[eE]|eval|execute|expr)(?:=|$)|^-[eE]/, takes: /^-{1,2}[A-Za-z-]{1,40}$/ };
const RUNS_COMMAND: Interpreter = {
  text: /^-[A-Za-z]{0,16}c|^--c(?:o[a-z]{0,8})?(?:=|$)|^--call(?:=|$)/,
  takes: /^-{1,2}[A-Za-z-]{1,40}$/,
};

const INTERPRETERS: Readonly<Record<string, Interpreter>> = {
  bun: NODE,
  deno: NODE,
  elixir: EVALUATES,
  erl: EVALUATES,
  expect: RUNS_COMMAND,
  groovy: EVALUATES,
  guile: RUNS_COMMAND,
  ipython: PYTHON,
  julia: EVALUATES,
  jython: PYTHON,
  lua: EVALUATES,
  luajit: EVALUATES,
  micropython: PYTHON,
  node: NODE,
  nodejs: NODE,
  perl: PERL,
  php: { text: /^-[A-Za-z]{0,16}[rBRE]|^--(?:run|process-(?:begin|code|end))(?:=|$)/, takes: /^-[cdz]$|^--[^=]{1,80}$/ },
  pypy: PYTHON,
  python: PYTHON,
  rscript: EVALUATES,
  ruby: RUBY,
  script: RUNS_COMMAND,
  'ts-node': NODE,
  tsx: NODE,
};

/** They join their words, here or on another host, into one text for a shell: only words that a shell takes as they are. */
const JOIN_WORDS = new Set(['eval', 'parallel', 'rsh', 'ssh', 'tmux']);
const PLAIN_WORD = /^[\w@%+=:,./[\]-]*$/;
/** Options of ssh whose value is a command for a shell. */
const SSH_COMMAND = /(?:proxy|local|knownhosts)command/i;
/** `env -S 'sh -c …'` splits a text into a command; every beginning of the long name counts. */
const SPLITS_TEXT = /^(?:-[A-Za-z0]{0,16}S|--s(?:p[lit]{0,3}(?:-[string]{0,6})?)?(?:=|$))/;

/**
 * Who would read one of these words as a program: `a shell`, `python3`. Each word is looked at as if it were a program, since what
 * stands before may run it: `timeout 5 sh -c`, `find . -exec sh -c`, `setpriv`, `nice`, `stdbuf`.
 * @returns null when nobody would, as far as the known programs go
 */
export function readerOfText(argv: readonly string[]): string | null {
  for (const [index, word] of argv.entries()) {
    const after = argv.slice(index + 1);
    const shown = basename(word);
    const name = shown.toLowerCase();
    for (const one of new Set([name, name.replace(OF_A_VERSION, '')])) {
      if (handsToShell(one, after)) return 'a shell';
      if (interpretsText(one, after)) return shown;
    }
  }
  return null;
}

function handsToShell(name: string, after: readonly string[]): boolean {
  if (SHELLS.has(name)) {
    const own = name === 'pwsh' || name === 'powershell' ? [] : optionsIn(after, SHELL_TAKES);
    const also = SHELL_TEXT_TOO[name];
    return own.some((one) => SHELL_OPTIONS.test(one)) || after.some((one) => SHELL_TEXT.test(one) || also?.test(one) === true);
  }
  switch (name) {
    case 'env':
      return after.some((one) => SPLITS_TEXT.test(one));
    case 'doas':
    case 'sudo':
      return optionsIn(after, /^-[A-Za-z]{0,16}[ugpCTDRrtU]$/).some((one) => /^-[A-Za-z]{0,16}[si]|^--(?:shell|login)$/.test(one));
    case 'flock':
    case 'npm':
    case 'npx':
    case 'pnpm':
    case 'pnpx':
      return after.some((one) => /^-[A-Za-z]{0,8}c(?:=|$)|^--(?:command|call|shell-mode)(?:=|$)/.test(one));
    case 'watch':
      // With -x it runs the words as they are.
      return after.some((one) => !one.startsWith('-')) && !optionsIn(after, /^-[nd]$|^--interval$/).some((one) => /^-[a-z]{0,8}x|^--exec$/.test(one)); // prettier-ignore
    case 'xargs':
      // What it appends is not among these words: `-c` may be in its input.
      return after.some(
        (one) => SHELLS.has(basename(one).toLowerCase().replace(OF_A_VERSION, '')) || Object.hasOwn(INTERPRETERS, basename(one)),
      );
    default:
      return JOIN_WORDS.has(name) && after.some((one) => !PLAIN_WORD.test(one) || SSH_COMMAND.test(one));
  }
}

function interpretsText(name: string, after: readonly string[]): boolean {
  if (/^(?:original-|[gmn])?awk$/.test(name)) {
    const isFromFile = after.some((one) => /^(?:-[fE]|--(?:file|exec)(?:=|$))/.test(one));
    return after.length > 0 && (!isFromFile || after.some((one) => /^(?:-e|--source)/.test(one)));
  }
  if (!Object.hasOwn(INTERPRETERS, name)) return false;
  const { text, takes } = INTERPRETERS[name] as Interpreter;
  if ((name === 'deno' || name === 'bun') && (after[0] === 'eval' || after[0] === 'exec')) return true;
  // A module of Python that takes a text itself; a text in the place of a module of Node.
  if (/^(?:python|pypy)$/.test(name) && after.some((one, index) => after[index - 1] === '-m' && /^(?:timeit|pdb|cProfile|profile|trace)$/.test(one))) return true; // prettier-ignore
  return after.some((one) => one.startsWith('data:')) || optionsIn(after, takes).some((one) => text.test(one));
}

/** The words before the first that is no option, without the values of those that take one. */
function optionsIn(words: readonly string[], takes: RegExp | null = null): readonly string[] {
  const options: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--' || word === '-' || !/^[-+]/.test(word)) break;
    options.push(word);
    // What follows may as well be an option: a value does not begin with a dash.
    if (takes?.test(word) === true && !/^[-+]/.test(words[at + 1] ?? '-')) at++;
  }
  return options;
}
