import { basename, resolve } from 'node:path';
import type { Check, CheckContext, ConfigText, Finding, TextProblem } from '../../domains/preflight/index.ts';
import { found } from './found.ts';
import { configFilesOf, formatOf, isScript, textOf, type ServiceFile } from './service-files.ts';

/** Raised with each change of what is looked for: remembered answers of an older one are then asked again. */
const VERSION = 3;

/**
 * Configuration that no program can read, or that says one thing twice; scripts that the command names, when they are no JavaScript. It is an error only where the service is known to read the
 * file: a broken file that merely lies there may be anything.
 */
export const configFiles: Check = {
  name: 'config_files',
  title: 'configuration files',
  timeLimitMs: 5000,
  when: 'beside_start',
  isNeeded: async (context) => (await configFilesOf(context)).length > 0,
  async inputs(context) {
    const files = await read(context);
    return JSON.stringify([VERSION, files.map(({ file, text, isUtf8 }) => [file, text, isUtf8])]);
  },
  async run(context) {
    const files = await read(context);
    const findings: Finding[] = files
      .filter(({ isUtf8 }) => !isUtf8)
      .map(({ file }) =>
        found(context, {
          severity: 'warn',
          code: 'config_not_utf8',
          component: file.component,
          file: file.path,
          message: 'holds bytes that are no UTF-8',
          hint: 'save it as UTF-8, or find out who wrote into it',
        }),
      );
    const texts = files.map(({ file, text }): ConfigText => ({
      path: file.path,
      format: isScript(file.path) ? 'script' : (formatOf(file.path) ?? 'env'),
      text,
    }));
    if (texts.length === 0) return findings;
    const answers = await context.lint(texts, context.signal);
    for (const [i, { file, text }] of files.entries()) {
      const problems = answers[i];
      if (problems != null) {
        const lines = formatOf(file.path) === 'json' && !saysConfig(file) ? linesOf(text) : 'no';
        if (lines === 'all') continue;
        findings.push(...problems.map((problem) => asFinding(problem, file, lines === 'begins', context)));
        continue;
      }
      findings.push(
        found(context, {
          severity: 'warn',
          code: 'config_unreadable',
          component: file.component,
          file: file.path,
          message: 'could not be read within time and memory; what follows it was not looked at',
          hint: "make it smaller or flatter, or leave the check out: preflight.skip: ['config_files']",
        }),
      );
      break;
    }
    return findings;
  },
};

async function read(context: CheckContext) {
  const files: { file: ServiceFile; text: string; isUtf8: boolean }[] = [];
  for (const file of await configFilesOf(context)) {
    const content = await textOf(file.path, context);
    if (content !== null) files.push({ file, ...content });
  }
  return files;
}

/** Whether each line is JSON of its own, as of data and logs: all of them, the first of several, or none. */
function linesOf(text: string): 'all' | 'begins' | 'no' {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length < 2 || !isRecord(lines[0] ?? '')) return 'no';
  return lines.every(isRecord) ? 'all' : 'begins';
}

function isRecord(line: string): boolean {
  try {
    return typeof JSON.parse(line) === 'object';
  } catch {
    return false;
  }
}

/** Its name, or that of the option or variable which names it. */
function saysConfig({ path, namedBy }: ServiceFile): boolean {
  return basename(path) === 'package.json' || /conf|cfg|setting|option|manifest/i.test(`${basename(path)} ${namedBy ?? ''}`);
}

function asFinding(problem: TextProblem, file: ServiceFile, isData: boolean, context: CheckContext): Finding {
  const isRead = isScript(file.path) ? isFirst(file, context) : (file.isNamed && !isData) || basename(file.path) === 'package.json';
  return found(context, {
    severity: problem.kind === 'broken' && isRead ? 'error' : 'warn',
    code: problem.code,
    component: file.component,
    file: file.path,
    line: problem.line,
    column: problem.column,
    message: problem.message,
    hint: HINTS[problem.code],
  });
}

/** Node itself reads it, before anything could translate it. Another script of the command may be anything, such as the source of a page. */
function isFirst(file: ServiceFile, { components }: CheckContext): boolean {
  return components.some(
    ({ name, command: [program = '', first = ''], cwd, env }) =>
      name === file.component && basename(program) === 'node' && resolve(cwd, first) === file.path && env['NODE_OPTIONS'] === undefined,
  );
}

const HINTS = {
  config_broken: 'correct it there; what stands below was not looked at',
  key_twice: 'keep one: most programs take the last one without a word',
  secret_placeholder: 'put the real value in, best from the environment or a vault',
} as const satisfies Record<TextProblem['code'], string>;
