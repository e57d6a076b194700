import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { openMemory } from '../library/memory.ts';
import { AMBIENT_TYPES_FILE, ambientTypes } from '../../runtime/authoring/ambient-types.ts';
import { draftPlaybook } from '../../runtime/authoring/draft-for.ts';
import { FileExists } from '../../runtime/authoring/errors.ts';
import { recordFileOf } from '../../runtime/authoring/recorded-failure.ts';
import { findConfigFile, loadConfig, type GraceConfig } from '../../runtime/config/index.ts';
import { codeOf, type Logger } from '../../kernel/index.ts';
import type { Answer } from './answer.ts';
import type { LookOptions } from './memory.ts';
import { paint } from './terminal.ts';

export interface NewCommand extends LookOptions {
  readonly for?: string;
  readonly component?: string;
}

const SILENT: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * `grace playbooks new`.
 * @param name   snake_case: the command line has seen to it
 * @throws FileExists: nothing is ever written over; NoSuchIncident
 */
export async function newPlaybook(name: string, options: NewCommand, directory = process.cwd()): Promise<Answer> {
  const config = await configOf(options, directory);
  const { playbooksDir } = config;
  const language = languageOf(playbooksDir);
  const file = join(playbooksDir, `${name}.${language}`);
  const recordFile = recordFileOf(file, name);
  for (const path of [join(playbooksDir, `${name}.ts`), join(playbooksDir, `${name}.mjs`), recordFile])
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) throw new FileExists(path);
  const drafted = await draftPlaybook({
    config,
    environment: process.env,
    logger: SILENT,
    name,
    component: options.component ?? null,
    language,
    subject: options.for ?? null,
  });
  mkdirSync(playbooksDir, { recursive: true });
  write(file, drafted.source);
  if (drafted.record !== null) write(recordFile, drafted.record);
  const types = hasRuntime(config.projectDir) ? null : join(playbooksDir, AMBIENT_TYPES_FILE);
  const wroteTypes = types !== null && statSync(types, { throwIfNoEntry: false }) === undefined;
  if (wroteTypes) write(types, ambientTypes());
  const shown = (path: string): string => relative(directory, path);
  return {
    exitCode: 0,
    data: {
      name,
      file,
      recorded_failure: drafted.record === null ? null : recordFile,
      differences: drafted.differences,
      not_replayable: drafted.notReplayable,
      types: wroteTypes ? types : null,
    },
    lines: [
      `${paint('green', 'wrote')} ${shown(file)}`,
      ...(drafted.record === null ? [] : [`${paint('green', 'wrote')} ${shown(recordFile)}  ${recordNote(drafted)}`]),
      ...(wroteTypes ? [`${paint('green', 'wrote')} ${shown(types)}  types for your editor: grace-runtime is not installed here`] : []),
      '',
      `see what it would do now:  grace playbooks run ${name} --dry-run`,
      ...(drafted.record === null ? [] : [`try it in a sandbox:       grace playbooks test ${name}`]),
      'it is registered at the next boot',
    ],
  };
}

function recordNote({ differences, notReplayable }: { readonly differences: number; readonly notReplayable: readonly string[] }): string {
  if (notReplayable.length > 0) return `cannot be tried in a sandbox: ${notReplayable.join('; ')}`;
  if (differences === 0) return 'nothing is broken now: say in it, by hand, how the world differed';
  return `${differences} ${differences === 1 ? 'difference' : 'differences'} of the world that failed`;
}

/** `grace playbooks generate`: what Grace would run, with its recorded failure. @throws GraceError as the library's generatePlaybook */
export async function generateFor(incident: string, options: LookOptions, directory = process.cwd()): Promise<Answer> {
  await using memory = await openMemory({ directory, config: options.config, dataDir: options.dataDir });
  const { name, file } = await memory.generatePlaybook(incident, { write: true });
  return {
    exitCode: 0,
    data: { name, file },
    lines: [
      `${paint('bold', name)}  ${file ?? ''}`,
      `see what it would do now:  grace playbooks run ${name} --dry-run`,
      `try it in a sandbox:       grace playbooks test ${name}`,
    ],
  };
}

/** What the folder uses; TypeScript where it uses nothing yet. */
function languageOf(dir: string): 'ts' | 'mjs' {
  let names: readonly string[] = [];
  try {
    names = readdirSync(dir);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const isTypeScript = names.some((name) => /^[a-z][a-z0-9_]*\.ts$/.test(name));
  return !isTypeScript && names.some((name) => name.endsWith('.mjs')) ? 'mjs' : 'ts';
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    // Somebody was faster.
    throw codeOf(error) === 'EEXIST' ? new FileExists(file) : error;
  }
}

/** Whether an editor finds the types by itself. */
function hasRuntime(projectDir: string): boolean {
  try {
    createRequire(join(projectDir, 'package.json')).resolve('grace-runtime/package.json');
    return true;
  } catch {
    return false;
  }
}

function configOf(options: LookOptions, directory: string): Promise<GraceConfig> {
  const hasFile = options.config !== undefined || findConfigFile(directory) !== null;
  const asked = { directory, configFile: options.config, environment: process.env, flags: { dataDir: options.dataDir } };
  // Writing needs nothing to run.
  return hasFile ? loadConfig(asked) : loadConfig(asked).catch(() => loadConfig({ ...asked, command: ['node'] }));
}
