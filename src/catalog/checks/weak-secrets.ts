import type { Check, CheckContext, Finding } from '../../domains/preflight/index.ts';
import { readEnvLines } from '../config-lint/env-lines.ts';
import { shownName } from '../config-lint/text-problem.ts';
import { weaknessOf } from '../config-lint/weak-secret.ts';
import { found } from './found.ts';
import { envFilesThere, textOf } from './service-files.ts';

/** Secrets that anybody could guess. It warns: a developer's machine may have them. Values are never shown, stored or hashed. */
export const weakSecrets: Check = {
  name: 'weak_secrets',
  title: 'weak and default secrets',
  timeLimitMs: 3000,
  when: 'beside_start',
  isNeeded: async (context) => (await envFilesThere(context)).length > 0 || context.components.some(hasOwnNames),
  async run(context) {
    const findings: Finding[] = [];
    const inFiles = new Set<string>();
    for (const file of await envFilesThere(context)) {
      const content = await textOf(file.path, context);
      for (const { name, value, line } of content === null ? [] : readEnvLines(content.text).entries) {
        inFiles.add(name);
        const why = weaknessOf(name, value) ?? weakInUrl(value);
        if (why !== null) findings.push(weak(context, file.component, `${shownName(name)} ${why}`, { file: file.path, line }));
      }
    }
    for (const spec of context.components.filter(hasOwnNames)) {
      const env = await context.environmentOf(spec);
      for (const name of new Set([...Object.keys(spec.env), ...spec.requiredEnv])) {
        if (inFiles.has(name)) continue;
        const why = weaknessOf(name, env[name] ?? '') ?? weakInUrl(env[name] ?? '');
        if (why !== null) findings.push(weak(context, spec.name, `${shownName(name)} in the environment ${why}`));
      }
    }
    return findings;
  },
};

function hasOwnNames(spec: CheckContext['components'][number]): boolean {
  return spec.requiredEnv.length > 0 || Object.keys(spec.env).length > 0;
}

function weak(context: CheckContext, component: string, message: string, place: { file?: string; line?: number } = {}): Finding {
  const hint = 'generate one: openssl rand -base64 32';
  return found(context, { severity: 'warn', code: 'secret_weak', component, message, hint, ...place });
}

/** A password that everybody knows, of a server that is not on this machine alone. */
function weakInUrl(value: string): string | null {
  if (!/^[a-z][a-z0-9+.-]{1,20}:\/\//i.test(value) || value.length > 2000 || !URL.canParse(value)) return null;
  const { username, password, hostname } = new URL(value);
  if (password === '' || /^(?:localhost|127\..*|\[::1\]|)$/.test(hostname)) return null;
  const isKnown = password === username || weaknessOf('PASSWORD', decoded(password))?.startsWith('is a ') === true;
  return isKnown ? 'has a password that everybody knows, for a server on another machine' : null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not encoded after all
  }
}
