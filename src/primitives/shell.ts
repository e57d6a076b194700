import { isAbsolute, resolve } from 'node:path';
import { formatDuration } from '../kernel/index.ts';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';
import { howItFailed, outputTail } from './command-end.ts';
import { definePrimitive } from './define-primitive.ts';
import { PrimitiveFailed } from './errors.ts';
import { whole, words } from './parameter.ts';
import { readerOfText } from './shell-text.ts';

/** A step is ended after six minutes: the command is told before. */
const COMMAND_MS_MAX = 5 * 60_000;
/** All of it is shown to who approves it, and an approval is bound to it: it is never cut. */
const COMMAND_CHARS_MAX = 2048;
const OUTPUT_LINES_MAX = 4;

export const shell = definePrimitive({
  name: 'shell',
  description: 'Runs one command that the configuration allows, word by word and without a shell.',
  risk: 'critical',

  parameters: {
    argv: words('The command and its arguments, one word each: nothing is expanded, split or redirected.', 64),
    timeoutMs: whole('After how many milliseconds it is ended and has failed.', 1, COMMAND_MS_MAX),
  },
  confinement: 'what `healing.allowShell` of the configuration begins with, in the directory of the component; nothing without it',

  check({ argv }, wrong) {
    if (argv.join(' ').length > COMMAND_CHARS_MAX) wrong(`"argv" is longer than ${COMMAND_CHARS_MAX} characters in all`);
  },

  async plan({ argv, timeoutMs }, context) {
    const line = shown(argv, context);
    if (!context.allowedCommands.some((prefix) => begins(argv, prefix)))
      return {
        state: 'refused',
        reason: `${line} is not allowed: no list in healing.allowShell begins it. A person who wants it writes healing: { allowShell: [${listOf(argv, context)}] } into the configuration`,
      };
    const [program = ''] = argv;
    const found = await context.host.findCommand(
      program.includes('/') && !isAbsolute(program) ? resolve(context.component.cwd, program) : program,
      (await context.env())['PATH'] ?? '',
    );
    if (found === null)
      return {
        state: 'refused',
        reason: `${shown([program], context)} is not found on the PATH of ${context.component.name}: install it, or write its whole path`,
      };
    // A link with another name is the program that it leads to.
    const reader = readerOfText([(await context.files.realpath(found)) ?? found, ...argv.slice(1)]) ?? readerOfText(argv);
    if (reader !== null)
      return {
        state: 'refused',
        reason: `${line} hands a text to ${reader}, which would read it as a program: write the command itself, or a script in a file`,
      };
    return {
      state: 'ready',
      summary: `run ${line} in ${context.component.cwd}, for up to ${formatDuration(timeoutMs)}`,
      targets: [line],
      undo: null,
    };
  },

  async apply({ argv, timeoutMs }, context) {
    const line = shown(argv, context);
    context.progress(`${line} in ${context.component.cwd}`);
    const result = await context.run(argv, { timeoutMs });
    if (result.exitCode !== 0 || result.timedOut) {
      const how = result.timedOut ? `took more than ${formatDuration(timeoutMs)}` : howItFailed(result, timeoutMs);
      throw new PrimitiveFailed('shell', `${line} ${how}\n${outputTail(result)}`);
    }
    return { summary: `${line} ended with 0\n${outputTail(result, OUTPUT_LINES_MAX)}`.trimEnd(), changed: [line] };
  },

  undo: null,
  irreversible: 'nobody knows what a command changes',
});

/** Word by word: `['systemctl', 'reload']` allows `systemctl reload nginx`, and not `systemctl reload-or-restart`. */
function begins(argv: readonly string[], prefix: readonly string[]): boolean {
  return prefix.length > 0 && prefix.length <= argv.length && prefix.every((word, index) => word === argv[index]);
}

/** As one line, in which every word can be told from the next. Secrets are taken out of each before quotes could hide them. */
function shown(argv: readonly string[], context: PrimitiveContext): string {
  const quoted = argv.map((word) => {
    const safe = context.redact(word);
    return /^[\w@%+=:,./[\]-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", String.raw`'\''`)}'`;
  });
  return context.redact(quoted.join(' '));
}

function listOf(argv: readonly string[], context: PrimitiveContext): string {
  return `[${argv.map((word) => JSON.stringify(context.redact(word))).join(', ')}]`;
}
