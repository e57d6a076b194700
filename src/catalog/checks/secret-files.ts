import { dirname } from 'node:path';
import { isSecretName } from '../../domains/incidents/index.ts';
import type { Check, CheckContext, Finding } from '../../domains/preflight/index.ts';
import { readEnvLines } from '../config-lint/env-lines.ts';
import { found } from './found.ts';
import { certificateFilesOf, envFilesThere, namedPaths, textOf, type ServiceFile } from './service-files.ts';

const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;
const OTHERS_ENTER = 0o001;
const MOUNT = '/run/secrets/';
const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----/;

/** Files with secrets in them that everybody on the machine may read or write, and mounted secrets that are not there. */
export const secretFiles: Check = {
  name: 'secret_files',
  title: 'files with secrets',
  timeLimitMs: 3000,
  when: 'beside_start',
  async isNeeded(context) {
    return (
      (await mountsOf(context)).length > 0 || (await envFilesThere(context)).length > 0 || (await certificateFilesOf(context)).length > 0
    );
  },
  async run(context) {
    const findings: Finding[] = [];
    for (const file of await envFilesThere(context)) {
      const content = await textOf(file.path, context);
      const hasSecrets =
        content !== null && readEnvLines(content.text).entries.some(({ name, value }) => value !== '' && isSecretName(name));
      if (hasSecrets) findings.push(...(await permissions(file, 'has secrets in it', 'warn', context)));
    }
    for (const file of await certificateFilesOf(context)) {
      const content = await textOf(file.path, context);
      if (content !== null && PRIVATE_KEY.test(content.text))
        findings.push(...(await permissions(file, 'is a private key', 'error', context)));
    }
    for (const { path, component } of await mountsOf(context)) findings.push(...(await mounted(path, component, context)));
    return findings;
  },
};

/** Only what others can get at counts: below a private directory a file is private, too. */
async function permissions(
  file: ServiceFile,
  what: string,
  writable: 'warn' | 'error',
  context: CheckContext,
): Promise<readonly Finding[]> {
  const path = (await context.files.realpath(file.path)) ?? file.path;
  const stat = await context.files.stat(path);
  if (stat === null || (stat.mode & (OTHERS_READ | OTHERS_WRITE)) === 0) return [];
  for (let dir = dirname(path); ; dir = dirname(dir)) {
    const above = await context.files.stat(dir);
    if (above !== null && (above.mode & OTHERS_ENTER) === 0) return [];
    if (dir === dirname(dir)) break;
  }
  const isWritable = (stat.mode & OTHERS_WRITE) !== 0;
  return [
    found(context, {
      severity: isWritable ? writable : 'warn',
      code: isWritable ? 'secret_file_writable' : 'secret_file_readable',
      component: file.component,
      file: file.path,
      message: `${what}, and everybody on this machine may ${isWritable ? 'write' : 'read'} it (mode ${stat.mode.toString(8).padStart(3, '0')})`,
      hint: `chmod ${isWritable || (stat.mode & 0o040) === 0 ? '600' : '640'} it; the service must stay able to read it`,
    }),
  ];
}

async function mountsOf(context: CheckContext) {
  const mounts = context.settings.secretFiles.map((path) => ({ path, component: context.components[0]?.name ?? 'grace' }));
  for (const spec of context.components)
    for (const { path } of await namedPaths(spec, context))
      if (path.startsWith(MOUNT) && !mounts.some((mount) => mount.path === path)) mounts.push({ path, component: spec.name });
  return mounts;
}

async function mounted(path: string, component: string, context: CheckContext): Promise<readonly Finding[]> {
  const isAsked = context.settings.secretFiles.includes(path);
  const say = (message: string, hint: string): readonly Finding[] => [
    found(context, { severity: isAsked ? 'error' : 'warn', code: 'secret_not_mounted', component, file: path, message, hint }),
  ];
  const real = await context.files.realpath(path).catch(() => null);
  const stat = real === null ? null : await context.files.stat(real);
  if (real === null || stat === null) return say('is named as a secret, and is not there', 'mount it, or correct the path');
  if (stat.kind !== 'file') return say(`is named as a secret, and is no file but a ${stat.kind}`, 'mount the file itself');
  try {
    const content = await context.files.readText(real, 4096);
    return (content ?? '').trim() === '' ? say('is named as a secret, and is empty', 'write the secret into it') : [];
  } catch {
    return say('is named as a secret, and may not be read', 'let the user of the service read it');
  }
}
