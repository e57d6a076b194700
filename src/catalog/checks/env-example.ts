import type { Check, Finding } from '../../domains/preflight/index.ts';
import { readEnvLines } from '../config-lint/env-lines.ts';
import { envFilesOf, exampleOf, isPlaceholder } from '../families/env-text.ts';
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
        const missing = readEnvLines(content.text).entries.filter(
          ({ name, value, remark }) =>
            env[name] === undefined &&
            !spec.requiredEnv.includes(name) &&
            isPlaceholder(value) &&
            !/\boptional\b|\bif you\b|\bleave empty\b/i.test(remark),
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
