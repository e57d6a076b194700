import { isSecretName } from '../../domains/incidents/index.ts';
import type { Check, Finding, ModuleIssue } from '../../domains/preflight/index.ts';
import { shownName } from '../config-lint/text-problem.ts';
import { found, shownPath } from './found.ts';
import { serviceEnvironment } from './service-files.ts';

const TIME_LIMIT_MS = 10_000;

/** The environment of a component against the schema its config names: any Standard Schema (Zod, Valibot, ArkType). */
export const envSchema: Check = {
  name: 'env_schema',
  title: 'environment schema',
  timeLimitMs: TIME_LIMIT_MS + 1000,
  when: 'before_start',
  severityWhenBroken: 'error',
  isNeeded: async ({ settings }) => settings.envSchemas.size > 0,
  async run(context) {
    const answers = await Promise.all(
      context.components.map(async (spec): Promise<readonly Finding[]> => {
        const module = context.settings.envSchemas.get(spec.name);
        if (module === undefined) return [];
        const env = await serviceEnvironment(spec, context);
        const order = { task: 'validate', module, cwd: spec.cwd, env, input: {}, timeLimitMs: TIME_LIMIT_MS } as const;
        const answer = await context.runModule(order, context.signal);
        const place = shownPath(context.projectDir, module.file);
        if (answer.state !== 'answered')
          return [
            found(context, {
              severity: 'error',
              code: answer.state === 'unusable' ? 'env_schema_unusable' : 'env_schema_failed',
              component: spec.name,
              file: module.file,
              message: `the environment schema ${answer.problem}`,
              hint: 'see docs/guide/preflight.md for what it may export',
            }),
          ];
        return answer.issues.map((issue) =>
          found(context, {
            severity: 'error',
            code: 'env_invalid',
            component: spec.name,
            message: messageOf(issue, env),
            hint: `set it as ${place} wants it`,
          }),
        );
      }),
    );
    return answers.flat();
  },
};

/** Some libraries put what they were given into their words. */
function messageOf({ path, message }: ModuleIssue, env: Readonly<Record<string, string>>): string {
  const name = shownName(path === '' ? 'the environment' : path);
  const value = env[path];
  if (path !== '' && value === undefined) return `${name} is not set: ${plain(message)}`;
  if (isSecretName(path)) return `${name} is not what its schema wants`;
  // as it stands, and as it stands in quotes
  const shown = value === undefined || value === '' ? message : message.replaceAll(JSON.stringify(value), '…').replaceAll(value, '…');
  return `${name} is not what its schema wants: ${plain(shown)}`;
}

function plain(message: string): string {
  return message.replaceAll(/\s+/g, ' ').slice(0, 200);
}
