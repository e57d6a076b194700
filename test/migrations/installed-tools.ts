import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const PACKAGES = join(import.meta.dirname, 'packages');
const CACHE = resolve(import.meta.dirname, '../../node_modules/.cache/migration-tools');

/**
 * The packages of all projects, installed once for each state of their lock file; about 290 MB and a minute the first time.
 * Install scripts are not run: of all of them only Prisma has one, and it would download engines.
 * @returns the `node_modules` directory
 */
export async function installTools(): Promise<string> {
  const lock = await readFile(join(PACKAGES, 'package-lock.json'));
  const dir = join(CACHE, createHash('sha256').update(lock).digest('hex').slice(0, 16));
  const done = join(dir, 'complete');
  if (!existsSync(done)) {
    await mkdir(dir, { recursive: true });
    for (const name of ['package.json', 'package-lock.json', '.npmrc']) await copyFile(join(PACKAGES, name), join(dir, name));
    await promisify(execFile)('npm', ['ci', '--loglevel=error'], { cwd: dir });
    await writeFile(done, '');
  }
  return join(dir, 'node_modules');
}
