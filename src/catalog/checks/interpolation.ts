import { basename } from 'node:path';
import type { Check, CheckContext, Finding } from '../../domains/preflight/index.ts';
import { readEnvLines } from '../config-lint/env-lines.ts';
import { placeOf } from '../config-lint/lint-text.ts';
import { shownName } from '../config-lint/text-problem.ts';
import { found } from './found.ts';
import { configFilesOf, envFilesThere, textOf, type ServiceFile } from './service-files.ts';

/** `${NAME}`, `${NAME:-default}`; not `$${NAME}` and `\${NAME}`, which mean the text itself. */
const REFERENCE = /(?<![$\\])\$\{([A-Za-z_]\w{0,200})([^}\n]{0,200})\}/g;
const COMPOSE = /^(?:docker-)?compose(?:\.[\w-]+)?\.ya?ml$/;

/** `${NAME}` of a variable that is nowhere: in env files, and in Compose files where a component is started with Compose. */
export const interpolation: Check = {
  name: 'interpolation',
  title: 'references to variables',
  timeLimitMs: 3000,
  when: 'beside_start',
  isNeeded: async (context) => (await envFilesThere(context)).length > 0 || usesCompose(context),
  async run(context) {
    const findings: Finding[] = [];
    const known = new Map<string, Set<string>>();
    const files = await envFilesThere(context);
    for (const spec of context.components) known.set(spec.name, new Set(Object.keys(await context.environmentOf(spec))));
    for (const file of files) {
      const content = await textOf(file.path, context);
      for (const { name } of content === null ? [] : readEnvLines(content.text).entries) known.get(file.component)?.add(name);
    }
    for (const file of files) {
      const content = await textOf(file.path, context);
      for (const { value, quote, line } of content === null ? [] : readEnvLines(content.text).entries)
        if (quote !== "'")
          for (const name of withoutValue(value, known.get(file.component))) findings.push(missing(name, file, { line }, context));
    }
    if (usesCompose(context))
      for (const file of (await configFilesOf(context)).filter(({ path }) => COMPOSE.test(basename(path)))) {
        const content = await textOf(file.path, context);
        for (const match of content?.text.matchAll(REFERENCE) ?? [])
          for (const name of withoutValue(match[0], known.get(file.component)))
            if (!isComment(content?.text ?? '', match.index))
              findings.push(missing(name, file, placeOf(content?.text ?? '', match.index), context));
      }
    return findings;
  },
};

function usesCompose({ components, dependencies }: CheckContext): boolean {
  return [...components, ...dependencies].some(
    ({ command }) => command.includes('compose') || (command[0] ?? '').endsWith('docker-compose'),
  );
}

function withoutValue(text: string, known: ReadonlySet<string> | undefined): readonly string[] {
  const names = [...text.matchAll(REFERENCE)].flatMap(([, name = '', rest = '']) =>
    /^:?[-?+=]/.test(rest) || known?.has(name) === true ? [] : [name],
  );
  return [...new Set(names)];
}

function isComment(text: string, offset: number): boolean {
  return /^\s*#/.test(text.slice(text.lastIndexOf('\n', offset) + 1, offset).slice(0, 200));
}

function missing(name: string, file: ServiceFile, place: { line: number; column?: number }, context: CheckContext): Finding {
  return found(context, {
    severity: 'warn',
    code: 'reference_without_value',
    component: file.component,
    file: file.path,
    ...place,
    message: `refers to ${shownName(name)}, which is neither in the environment nor in an env file`,
    hint: `set ${shownName(name)}, give it a default with \${${shownName(name)}:-…}, or put the text in single quotes if it is meant as it stands`,
  });
}
