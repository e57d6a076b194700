import type { Check, Finding } from '../../domains/preflight/index.ts';
import { readEnvLines } from '../config-lint/env-lines.ts';
import { envFilesOf, exampleOf, isPlaceholder } from '../families/env-text.ts';
import { shownName } from '../config-lint/text-problem.ts';
import { weaknessOf } from '../config-lint/weak-secret.ts';
import { found, listed, shownPath } from './found.ts';
import { serviceEnvironment, textOf } from './service-files.ts';

/**
 * Variables that the example leaves for people to fill in, and nobody has. An example also lists what is optional, so this only
 * warns, and passes over what has a usable value in the example, is commented out, or is called optional.
 */
export const envExample: Check = {
  name: 'env_example',
  title: 'variables of .env.example',
  timeLimitMs: 2000,
  when: 'beside_start',
  async isNeeded({ components, files }) {
    for (const spec of components) for (const file of envFilesOf(spec)) if ((await exampleOf(files, file)) !== null) return true;
    return false;
  },
  async run(context) {
    const findings: Finding[] = [];
    const seen = new Set<string>();
    for (const spec of context.components) {
      const env = await serviceEnvironment(spec, context);
      const examples = new Set<string>();
      for (const file of envFilesOf(spec)) {
        const example = await exampleOf(context.files, file);
        if (example !== null) examples.add(example);
      }
      for (const example of examples) {
        const content = await textOf(example, context);
        if (content === null || seen.has(`${example} ${spec.cwd}`)) continue;
        seen.add(`${example} ${spec.cwd}`);
        const wanted = readEnvLines(content.text).entries.filter(
          ({ value, remark }) => isPlaceholder(value) && !/\boptional\b|\bif you\b|\bleave empty\b/i.test(remark),
        );
        const copied = wanted.filter(({ name, value }) => value === env[name] && isToReplace(value) && weaknessOf(name, value) === null);
        for (const { name } of copied)
          findings.push(
            found(context, {
              severity: 'warn',
              code: 'env_placeholder',
              component: spec.name,
              message: `${shownName(name)} still has the placeholder of ${shownPath(context.projectDir, example)}`,
              hint: 'put the real value in',
            }),
          );
        const missing = wanted.filter(
          ({ name, value }) => (env[name] === undefined || (env[name] === '' && isToReplace(value))) && !spec.requiredEnv.includes(name),
        );
        if (missing.length === 0) continue;
        const names = [...new Set(missing.map(({ name }) => name))];
        findings.push(
          found(context, {
            severity: 'warn',
            code: 'env_not_filled_in',
            component: spec.name,
            file: example,
            ...(missing[0] === undefined ? {} : { line: missing[0].line }),
            message: `names ${listed(names)}, which ${names.length === 1 ? 'has' : 'have'} no value in the environment or an env file`,
            hint: `set ${names.length === 1 ? 'it' : 'them'} in ${shownPath(context.projectDir, envFilesOf(spec)[0] ?? '.env')}, or say "optional" in a comment of the example`,
          }),
        );
      }
    }
    return findings;
  },
};

/** Nobody means it: `<url>`, `changeme`, `your-host`. What is empty, or a word such as `null` and `password`, may be meant. */
function isToReplace(value: string): boolean {
  return isPlaceholder(value) && !/^(?:|null|undefined|secret|password|example)$/i.test(value);
}
