import { dirname, join, resolve } from 'node:path';
import type { Files } from '../../kernel/index.ts';
import type { LastGood } from '../../domains/playbooks/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';

/** One assignment of an env file. The value stays in here: messages only ever name keys. */
export interface EnvKey {
  readonly key: string;
  readonly value: string;
  /** The line directly above allows a fresh secret: `# secret: generate 32 bytes`. */
  readonly mayGenerate: boolean;
}

/** Keys of an env file in order. */
export function envKeysOf(content: string): readonly EnvKey[] {
  const keys: EnvKey[] = [];
  let above = '';
  for (const line of content.split(/\r?\n/)) {
    const assignment = /^\s*(?:export\s+)?([A-Za-z_][\w.]*)\s*=\s*(.*)$/.exec(line);
    if (assignment?.[1] !== undefined) {
      const raw = (assignment[2] ?? '').trim();
      const quoted = /^(["'`])(.*?)\1/.exec(raw);
      const value = quoted?.[2] ?? raw.replace(/(?:^|\s+)#.*$/, '').trim();
      keys.push({ key: assignment[1], value, mayGenerate: GENERATE.test(above) });
    }
    above = line;
  }
  return keys;
}

const GENERATE = /^\s*#\s*secret:\s*generate(?:\s+\d{1,4}(?:\s*bytes?)?)?\s*$/i;

/** A value that only shows where the real one goes; copying it would be a wrong heal. */
export function isPlaceholder(value: string): boolean {
  return (
    value === '' ||
    /^(?:change[-_ ]?me.*|<.*>|\.{3,}|x{3,}|todo|replace.*|your[-_ ].*|.*[-_ ]here|placeholder|example|secret|password|null|undefined)$/i.test(
      value,
    )
  );
}

/** Env files the component uses: declared, or named by its command (`--env-file=.env`), or the usual one. */
export function envFilesOf(component: ComponentSpec): readonly string[] {
  const files = new Set(component.envFiles.map((file) => resolve(component.cwd, file)));
  component.command.forEach((word, i) => {
    const inline = /^--env-file(?:-if-exists)?=(.+)$/.exec(word)?.[1];
    const next = /^--env-file(?:-if-exists)?$/.test(word) ? component.command[i + 1] : undefined;
    const file = inline ?? next;
    if (file !== undefined) files.add(resolve(component.cwd, file));
  });
  if (files.size === 0) files.add(join(component.cwd, '.env'));
  return [...files];
}

/** The example beside an env file. */
export async function exampleOf(files: Files, envFile: string): Promise<string | null> {
  const dir = dirname(envFile);
  for (const path of [`${envFile}.example`, `${envFile}.sample`, `${envFile}.template`, `${envFile}.dist`, join(dir, '.env.example')])
    if ((await files.stat(path))?.kind === 'file') return path;
  return null;
}

export async function keysInFile(files: Files, path: string | null): Promise<readonly EnvKey[]> {
  const content = path === null ? null : await files.readText(path, ENV_FILE_BYTES_MAX);
  return content === null ? [] : envKeysOf(content);
}

export async function keysInLastGood(lastGood: LastGood, component: string, path: string): Promise<readonly EnvKey[]> {
  const entry = await lastGood.entry(component, path);
  const content = entry?.kind === 'file' && entry.hasContent ? await lastGood.content(entry) : null;
  return content === null ? [] : envKeysOf(new TextDecoder().decode(content.subarray(0, ENV_FILE_BYTES_MAX)));
}

/** An env file beyond this is something else. */
const ENV_FILE_BYTES_MAX = 256 * 1024;
