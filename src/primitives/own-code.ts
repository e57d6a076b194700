import { join } from 'node:path';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';

/** Beyond that it is no longer the code of one service. */
const FILES_MAX = 2000;
const DIRECTORIES_MAX = 4000;
const DEPTH_MAX = 12;
/** A larger file is made by a program. */
const BYTES_MAX = 512 * 1024;
/** Of all files together: what is read in a moment. */
const ALL_BYTES_MAX = 16 * 1024 * 1024;

/** Installed, built, or made for tests: not what the service's people write. */
const OTHERS =
  /^(?:\..*|node_modules|site-packages|dist-packages|__pycache__|dist|build|out|coverage|vendor|venv|env|fixtures|testdata|test_data|tests?|__tests__)$/;
/** What Grace is told, and what it wrote itself. */
const GRACES_OWN = /^(?:playbooks|grace\.config\.[cm]?[jt]s)$/;
const TESTS = /\.(?:test|spec)\.[cm]?[jt]s$|\.d\.[cm]?ts$|\.min\.js$|^test_.*\.py$|_test\.py$|^conftest\.py$/;

export interface OwnCode {
  /** Absolute, in order of their names, folder by folder. */
  readonly paths: readonly string[];
  /** More was there than is looked at. */
  readonly isCut: boolean;
}

/** The code of a component, below its directory. Links are not followed: they lead to what is looked at elsewhere, or out. */
export async function ownCode({ component, files, signal }: PrimitiveContext, endings: RegExp): Promise<OwnCode> {
  const paths: string[] = [];
  const folders: (readonly [string, number])[] = [[component.cwd, 0]];
  let bytes = 0;
  let isCut = false;
  for (let at = 0; at < folders.length; at++) {
    const [folder, depth] = folders[at] ?? ['', 0];
    signal.throwIfAborted();
    const names: readonly string[] = await files.list(folder).catch(() => []);
    if (depth > 0 && names.includes('pyvenv.cfg')) continue;
    for (const name of names) {
      const path = join(folder, name);
      const isCode = endings.test(name) && !TESTS.test(name);
      if (OTHERS.test(name) || (depth === 0 && GRACES_OWN.test(name)) || (!isCode && name.includes('.'))) continue;
      const stat = await files.stat(path);
      if (stat?.kind === 'directory' && depth < DEPTH_MAX && folders.length < DIRECTORIES_MAX) folders.push([path, depth + 1]);
      else if (stat?.kind === 'directory') isCut = true;
      if (stat?.kind !== 'file' || !isCode || stat.sizeBytes > BYTES_MAX) continue;
      if (paths.length >= FILES_MAX || bytes + stat.sizeBytes > ALL_BYTES_MAX) return { paths, isCut: true };
      bytes += stat.sizeBytes;
      paths.push(path);
    }
  }
  return { paths, isCut };
}
