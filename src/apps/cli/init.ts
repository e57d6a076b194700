import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { codeOf } from '../../kernel/index.ts';
import { detectProject, findConfigFile, renderConfigFile } from '../../runtime/config/index.ts';
import type { Answer } from './answer.ts';
import { ConfigExists, NothingToRun } from './errors.ts';
import { paint } from './terminal.ts';

export interface InitOptions {
  readonly stdout?: boolean;
}

/**
 * `grace init`: looks at the project and writes what it found as a config.
 * @throws ConfigExists, NothingToRun; nothing is written then
 */
export function init(
  command: readonly string[],
  options: InitOptions,
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): Answer {
  const existing = findConfigFile(directory);
  if (existing !== null && options.stdout !== true) throw new ConfigExists(existing);
  const project = detectProject(directory, command.length === 0 ? null : command, environment);
  if (project.components.size === 0) throw new NothingToRun(directory);
  const text = renderConfigFile(project);
  const file = join(directory, 'grace.config.ts');
  const data = { file: options.stdout === true ? null : file, name: project.name.value, components: [...project.components.keys()], text };
  if (options.stdout === true) return { exitCode: 0, data, lines: [text.trimEnd()] };
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw new ConfigExists(file);
    throw error;
  }
  return {
    exitCode: 0,
    data,
    lines: [
      `${paint('green', 'wrote')} ${basename(file)}: ${project.name.value} with ${[...project.components.keys()].join(', ')}`,
      'read it, then: grace check; grace up',
    ],
  };
}
