import { basename, isAbsolute } from 'node:path';
import type { Files } from '../kernel/index.ts';

/** A program of the machine, as it was found for a service. */
export interface Asked {
  /** How it is called: the absolute path that was found. */
  readonly file: string;
  /** Where that leads, with every link followed. */
  readonly real: string;
  /** Its first bytes: a script says `#!`. */
  readonly begin: string;
}

/** @param file  absolute */
export async function asFound(file: string, { files }: { readonly files: Pick<Files, 'realpath' | 'read'> }): Promise<Asked> {
  const real = (await files.realpath(file).catch(() => null)) ?? file;
  const begin = await files.read(real, 2).catch(() => null); // it may be executed and not read
  return { file, real, begin: new TextDecoder('latin1').decode(begin ?? new Uint8Array()) };
}

const NEUTRAL = '/';
/** Which of their versions answers is said by a file of the service: `global.json`, the toolchain in `go.mod`. */
const CHOOSES_BY_FOLDER = /^(?:dotnet|go)$/;
/** Where the system puts its own; version managers have folders of theirs. */
const OF_SYSTEM = /^\/(?:usr\/)?s?bin\//;

/**
 * The folder in which a program of the machine is asked what it is: `/`. In the folder of the service the question would look like a start
 * of it to everybody who finds services by folder and command line, and would keep that folder busy. Only where the folder decides which
 * program answers is it the folder of the service: for dotnet and go, for scripts, and for the stand-ins of version managers (mise, volta,
 * pyenv), which lead to a program of another name.
 */
export function askingFolder({ file, real, begin }: Asked, cwd: string): string {
  const name = stem(file);
  const isItself = stem(real).startsWith(name) || name.startsWith(stem(real)) || (OF_SYSTEM.test(file) && OF_SYSTEM.test(real));
  return isAbsolute(file) && isItself && !begin.startsWith('#!') && !CHOOSES_BY_FOLDER.test(name) ? NEUTRAL : cwd;
}

/** `python3.11` is `python`. */
function stem(path: string): string {
  return basename(path).replace(/[\d.]+$/, '');
}
