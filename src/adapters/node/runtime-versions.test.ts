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

test('nothing runs in the folder of the service that looks like a start of it', async () => {
  const asked: Record<string, string> = {};
  const spawner: Spawner = {
    run([file = ''], { cwd }) {
      asked[file] = cwd;
      return Promise.resolve({ exitCode: 0, signal: null, stdout: 'v=7.0.15', stderr: '', timedOut: false, spawnErrorCode: null });
    },
  };
  const path = bin({ 'python3.12': 'Python 3.12.4' });
  writeFileSync(join(path, 'redis-server'), '\u007FELF', { mode: 0o755 });
  const command = ['sh', '-c', 'redis-server redis.conf & exec python3.12 app.py'];
  expect(await runtimeVersions(command, '/srv/shop', { PATH: path }, spawner, LIMIT_MS)).toEqual({ redis: '7.0.15', python: '7.0.15' });
  // A script may be the stand-in of a version manager, which looks at the folder it is called in.
  expect(asked).toEqual({ [join(path, 'redis-server')]: '/', [join(path, 'python3.12')]: '/srv/shop' });
});
