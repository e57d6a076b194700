import { invariant, parseDurationMs } from '../../kernel/index.ts';
import type { CommandFile } from './schema.ts';
import { parseWords } from './words.ts';

/** A command of the file as its words. */
export function argvOf(command: CommandFile): readonly string[] {
  if (typeof command !== 'string') return command;
  const words = parseWords(command);
  invariant(words.ok, 'validation refuses command lines that are no words');
  return words.argv;
}

/** A duration of the file in milliseconds. */
export function toMs(duration: string | number): number {
  const ms = parseDurationMs(duration);
  invariant(ms !== null, 'validation refuses what is no duration');
  return Math.round(ms);
}
