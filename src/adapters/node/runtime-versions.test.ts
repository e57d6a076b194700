import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Spawner } from '../../kernel/index.ts';
import { runtimeVersions } from './runtime-versions.ts';
import { nodeSpawner } from './spawner.ts';

const LIMIT_MS = 20_000;

/** A folder with programs that say a version. */
function bin(versions: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), 'grace-bin-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, says] of Object.entries(versions)) {
    writeFileSync(join(dir, name), `#!/bin/sh\necho '${says}'\n`);
    chmodSync(join(dir, name), 0o755);
  }
  return dir;
}

const noSpawner: Spawner = { run: () => Promise.reject(new Error('nobody is to be asked')) };
const ask = (argv: readonly string[], path: string, spawner = nodeSpawner) => runtimeVersions(argv, '/', { PATH: path }, spawner, LIMIT_MS);

test('what the start command uses is asked, as itself or through a tool', async () => {
  const path = bin({
    python3: 'Python 3.12.4',
    ruby: 'ruby 3.3.0 (2023-12-25 revision 5124f9ac75) [x86_64-linux]',
    java: 'openjdk version "21.0.2" 2024-01-16',
  });
  expect(await ask(['python3', 'app.py'], path)).toEqual({ python: '3.12.4' });
  expect(await ask(['gunicorn', '-w', '4', 'app:app'], path)).toEqual({ python: '3.12.4' });
  expect(await ask(['sh', '-c', 'exec bundle exec puma'], path)).toEqual({ ruby: '3.3.0' });
  expect(await ask(['java', '-jar', 'app.jar'], path)).toEqual({ java: '21.0.2' });
});

test('the runtime Grace itself runs on is not asked', async () => {
  expect(await ask([process.execPath, 'server.js'], '', noSpawner)).toEqual({ node: process.versions.node });
  expect(await ask(['npm', 'start'], dirname(process.execPath), noSpawner)).toEqual({ node: process.versions.node });
});

test('what is not there, or says nothing, has no version', async () => {
  expect(await ask(['python3', 'app.py'], '/nowhere')).toEqual({});
  expect(await ask(['php', 'index.php'], bin({ php: 'hello' }))).toEqual({});
  expect(await ask(['./my-own-server'], '/usr/bin', noSpawner)).toEqual({});
});
