import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nodeClock } from '../adapters/node/clock.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { programOf } from '../adapters/protocols/testing/servers.ts';
import { command } from '../catalog/checks/command.ts';
import { readElf } from '../catalog/elf.ts';
import { ask, serviceFolder, type Ports } from '../catalog/checks/testing.ts';
import type { Finding } from '../domains/preflight/index.ts';

const unused = (): never => {
  throw new Error('not asked here');
};
const PORTS: Ports = { clock: nodeClock, files: nodeFiles, spawner: nodeSpawner, lint: unused, runModule: unused, ask: unused };
const BINARY = ['/bin/ls', '/usr/bin/ls'].find((path) => existsSync(path)) ?? '';

const look = (dir: string, line: string, env: Record<string, string> = {}): Promise<readonly Finding[]> =>
  ask(command, dir, PORTS, { spec: { command: line.split(' ') }, env });
const short = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ severity, code, message }) => `${severity} ${code} ${message}`);

function withProgram(content: string | Uint8Array, mode = 0o755): string {
  const dir = serviceFolder({ server: content });
  chmodSync(join(dir, 'server'), mode);
  return dir;
}

/** A real binary of this machine with some bytes changed. */
function changed(change: (bytes: Buffer) => void): string {
  const bytes = readFileSync(BINARY);
  change(bytes);
  return withProgram(bytes);
}

describe('the program of a command', () => {
  test('one that is well is silent', async () => {
    const dir = withProgram(readFileSync(BINARY));
    expect(await look(dir, './server')).toEqual([]);
    expect(await look(dir, 'ls -l')).toEqual([]);
    expect(await look(withProgram('#!/bin/sh\nexit 0\n'), './server')).toEqual([]);
  });

  test('one that is not there, and one that may not be executed', async () => {
    expect(short(await look(serviceFolder({}), './server'))).toEqual(['error command_missing its program ./server is not there']);
    expect(short(await look(serviceFolder({}), 'no-such-program-here run'))).toEqual([
      'error command_missing its program no-such-program-here is not there',
    ]);
    expect(short(await look(withProgram('#!/bin/sh\n', 0o644), './server'))).toEqual([
      'error command_not_executable its program server may not be executed',
    ]);
  });

  test('the interpreter of a script is looked for as the system does', async () => {
    expect(short(await look(withProgram('#!/opt/gone/bin/python3.9\n'), './server'))).toEqual([
      'error command_broken its program server cannot be run: its first line names /opt/gone/bin/python3.9, which is not there',
    ]);
    expect(short(await look(withProgram('#!/usr/bin/env -S no-such-runtime --x\n'), './server'))[0]).toContain(
      'its first line names no-such-runtime',
    );
    expect(short(await look(withProgram('#!/bin/sh\r\nexit 0\r\n'), './server'))[0]).toContain('its first line ends as on Windows');
    expect(await look(withProgram('#!/usr/bin/env sh\n'), './server')).toEqual([]);
  });

  test('one for another machine is told by its header', async () => {
    const other = changed((bytes) => bytes.writeUInt16LE(bytes.readUInt16LE(18) === 183 ? 62 : 183, 18));
    const hasEmulator =
      existsSync('/proc/sys/fs/binfmt_misc/status') &&
      execFileSync('ls', ['/proc/sys/fs/binfmt_misc'], { encoding: 'utf8' }).trim().split('\n').length > 2;
    if (!hasEmulator)
      expect(short(await look(other, './server'))[0]).toMatch(/cannot be run: it is made for (?:ARM64|x86-64), and this machine is/);
    expect(short(await look(withProgram('MZ\u0090\0'), './server'))[0]).toContain('it is made for Windows');
    expect(short(await look(withProgram(Buffer.from('cffaedfe07000001', 'hex')), './server'))[0]).toContain('it is made for macOS');
    expect(short(await look(withProgram(''), './server'))[0]).toContain('the file is empty');
  });

  test('a loader and a library that are not there are named', async () => {
    const replaced = (from: string, to: string) =>
      changed((bytes) => {
        const at = bytes.indexOf(`${from}\0`);
        expect(at).toBeGreaterThan(0);
        bytes.write(to.padEnd(from.length, '\0').slice(0, from.length), at, 'latin1');
      });
    const elf = await readElf((offset, length) => nodeFiles.readRange(BINARY, offset, length), 1024 * 1024);
    expect(elf?.image?.linking?.needed).toContain('libc.so.6');
    const loader = elf?.image?.interpreter ?? '';
    expect(short(await look(replaced(loader, '/lib/ld-musl-x.so.1'), './server'))[0]).toContain(
      'it needs /lib/ld-musl-x.so.1, which is not there',
    );
    expect(short(await look(replaced('libc.so.6', 'libq.so.6'), './server'))).toEqual([
      'error command_broken its program server cannot be run: it needs libq.so.6, which is not there',
    ]);
    const dir = replaced('libc.so.6', 'libq.so.6');
    writeFileSync(join(dir, 'libq.so.6'), '');
    expect(await look(dir, './server', { LD_LIBRARY_PATH: dir })).toEqual([]);
  });

  test('a header that lies is read within bounds', async () => {
    for (const at of [32, 40, 54, 56, 64, 72, 96, 104, 500])
      for (const value of [0xff, 0x00, 0x7f])
        await expect(
          look(
            changed((bytes) => bytes.fill(value, at, at + 8)),
            './server',
          ),
        ).resolves.toBeDefined();
    await expect(look(withProgram(readFileSync(BINARY).subarray(0, 70)), './server')).resolves.toEqual([]);
  });

  test('of Node only the file it begins with is looked for', async () => {
    const dir = serviceFolder({ 'server.js': '', 'app/index.js': '', 'node_modules/tsx/package.json': '{}', '.env': '' });
    for (const fine of [
      'node server.js',
      'node server',
      'node app',
      'node --env-file=.env server.js',
      'node --import tsx gone.js',
      'node -e 1',
    ])
      expect(await look(dir, fine), fine).toEqual([]);
    const [gone, ...rest] = await look(dir, 'node --enable-source-maps=true node_modules/a/cli.js --port 1');
    expect(rest).toEqual([]);
    expect(short([gone].filter((one) => one !== undefined))).toEqual([
      'error command_file_missing its command names node_modules/a/cli.js, which is not there',
    ]);
    expect(gone?.hint).toMatch(/^npm ci/);
  });

  test('a preload or an env file that Node cannot start without has to be there', async () => {
    const files = {
      'server.js': '',
      'hooks.js': '',
      'there.env': '',
      'node_modules/dotenv/package.json': '{}',
      'package.json': '{"name":"own"}',
    };
    const dir = serviceFolder(files);
    for (const fine of [
      'node -r dotenv/config server.js',
      'node -r ./hooks --env-file=there.env server.js',
      'node --import ./hooks.js --import own/hooks server.js',
      'node --import data:text/javascript,1 -r node:fs -r fs/promises server.js',
      'node --env-file-if-exists=.env --env-file-if-exists gone.env server.js',
      'node server.js --env-file=gone.env --import ./gone.mjs',
      'node --import ./hooks.js --import ./there.js server.js',
    ])
      expect(await look(dir, fine), fine).toEqual([]);
    for (const [line, said] of [
      ['node -r gone/config server.js', 'command_preload_missing its command loads "gone/config" first (-r), which is not installed'],
      ['node --require=./gone server.js', 'command_preload_missing its command loads "./gone" first (--require), which is not there'],
      ['node --import ./gone.mjs server.js', 'command_preload_missing its command loads "./gone.mjs" first (--import), which is not there'],
      ['node --env-file=.env server.js', 'env_file_missing its command reads .env, which is not there: Node ends at once'],
      [
        'node --enable-source-maps --env-file gone.env server',
        'env_file_missing its command reads gone.env, which is not there: Node ends at once',
      ],
      ['node --enable-source-maps gone.js', 'command_file_missing its command names gone.js, which is not there'],
    ] as const)
      expect(short(await look(dir, line)), line).toEqual([`error ${said}`]);
    expect(short(await look(dir, 'node server.js', { NODE_OPTIONS: '--require gone' }))).toHaveLength(1);
    writeFileSync(join(dir, '.env.example'), 'A=1');
    expect(short(await look(dir, 'node --env-file=.env server.js'))[0]).toMatch(/^warn env_file_missing/);
  });

  test('a script of package.json is followed to what it runs', async () => {
    const scripts = {
      start: 'NODE_ENV=production node dist/server.js',
      talk: 'echo "starting up" && node dist/server.js',
      built: 'tsc && node dist/server.js',
      after: 'node dist/server.js && echo done',
      well: 'node server.js',
      twice: 'npm run start',
      shell: 'node $MAIN',
      tool: 'no-such-tool start',
      prepared: 'node dist/server.js',
      preprepared: 'tsc',
    };
    const dir = serviceFolder({ 'server.js': '', 'package.json': JSON.stringify({ scripts }) });
    for (const fine of ['built', 'well', 'shell', 'prepared', 'gone --if-present', '-w api start'])
      expect(await look(dir, `npm run ${fine}`), fine).toEqual([]);
    expect(await look(dir, 'npm --prefix api start')).toEqual([]);
    expect(await look(dir, 'yarn run gone')).toEqual([]);
    const gone = ['error command_file_missing its command names dist/server.js, which is not there'];
    for (const line of [
      'npm start',
      'npm run -s talk',
      'npm run after',
      'pnpm run twice',
      'yarn start',
      'node --run talk',
      'env A=1 npm start',
    ])
      expect(short(await look(dir, line)), line).toEqual(gone);
    expect(short(await look(dir, 'npm run gone'))).toEqual([
      'error command_script_missing its command runs the script "gone", which package.json does not have',
    ]);
    expect(short(await look(dir, 'npm run tool'))).toEqual(['error command_missing its script runs no-such-tool, which is not installed']);
  });

  test('what is installed further up is found from a folder that is linked to', async () => {
    const root = serviceFolder({ 'node_modules/dotenv/package.json': '{}', 'app/server.js': '' });
    const dir = serviceFolder({});
    symlinkSync(join(root, 'app'), join(dir, 'app'));
    expect(await look(join(dir, 'app'), 'node -r dotenv/config server.js')).toEqual([]);
  });

  test('npm start without a script runs server.js where there is one', async () => {
    expect(await look(serviceFolder({ 'server.js': '', 'package.json': '{}' }), 'npm start')).toEqual([]);
    expect(short(await look(serviceFolder({ 'package.json': '{}' }), 'npm start'))[0]).toMatch(/^error command_script_missing/);
    // it is looked for further up
    expect(await look(serviceFolder({}), 'npm start')).toEqual([]);
  });

  test('the script that an interpreter is given has to be there', async () => {
    const dir = serviceFolder({ 'run.sh': '' });
    expect(await look(dir, 'sh run.sh')).toEqual([]);
    expect(short(await look(dir, 'sh gone.sh'))).toEqual(['error command_file_missing its command names gone.sh, which is not there']);
    // the value of an option, or words for the program
    for (const line of ['sh -c gone.sh', 'sh -x gone.sh', 'ls gone.sh']) expect(await look(dir, line)).toEqual([]);
  });
});

describe('a version', () => {
  /** A folder on the PATH with a program that leaves a trace. */
  const onPath = (
    name: string,
    script: string,
  ): { readonly dir: string; readonly env: Record<string, string>; readonly trace: () => string } => {
    const dir = serviceFolder({});
    const bin = serviceFolder({ [name]: `#!/bin/sh\necho "$@ $RUBYOPT $JAVA_TOOL_OPTIONS" >> "${dir}/trace"\n${script}\n` });
    chmodSync(join(bin, name), 0o755);
    return {
      dir,
      env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, RUBYOPT: '-rmine' },
      trace: () => (existsSync(join(dir, 'trace')) ? readFileSync(join(dir, 'trace'), 'utf8') : ''),
    };
  };

  test('is asked of programs that are known, without what would run code of the service', async () => {
    const ruby = onPath('ruby', 'exit 0');
    expect(await look(ruby.dir, 'ruby -S puma', ruby.env)).toEqual([]);
    expect(ruby.trace().trim()).toBe('--version');
  });

  test('is asked away from the folder of the service, and there again where it did not run', async () => {
    const dir = serviceFolder({});
    const bin = serviceFolder({ ruby: readFileSync(BINARY) });
    chmodSync(join(bin, 'ruby'), 0o755);
    const asked: string[] = [];
    const answering = (exitCode: number): Ports => ({
      ...PORTS,
      spawner: {
        run(_, { cwd }) {
          asked.push(cwd);
          return Promise.resolve({ exitCode, signal: null, stdout: '', stderr: '', timedOut: false, spawnErrorCode: null });
        },
      },
    });
    const order = { spec: { command: ['ruby', 'app.rb'] }, env: { PATH: bin } };
    writeFileSync(join(dir, 'app.rb'), '');
    expect(await ask(command, dir, answering(0), order)).toEqual([]);
    expect(asked.splice(0)).toEqual(['/']);
    expect(short(await ask(command, dir, answering(127), order))).toEqual([
      'error command_broken ruby --version does not run (exit code 127)',
    ]);
    expect(asked).toEqual(['/', dir]);
  });

  test('is never asked of a program that is not known, nor of one of the project', async () => {
    const own = onPath('shopd', 'exit 1');
    expect(await look(own.dir, 'shopd', own.env)).toEqual([]);
    expect(own.trace()).toBe('');
    const dir = serviceFolder({ java: '#!/bin/sh\ntouch executed\nexit 1\n' });
    chmodSync(join(dir, 'java'), 0o755);
    expect(await look(dir, './java')).toEqual([]);
    expect(existsSync(join(dir, 'executed'))).toBe(false);
  });

  test('one that does not run is an error, and says nothing of what it printed', async () => {
    const shim = onPath('ruby', 'echo "version 9.9 is not installed, token hunter2" >&2\nexit 127');
    const findings = await look(shim.dir, 'ruby', shim.env);
    expect(short(findings)).toEqual(['error command_broken ruby --version does not run (exit code 127)']);
    expect(JSON.stringify(findings)).not.toContain('hunter2');
  });

  for (const name of ['java', 'ruby', 'php', 'perl', 'go'])
    test.skipIf(programOf(name) === null)(`the real ${name} answers (skipped where it is not installed)`, async () => {
      expect(await look(serviceFolder({}), name)).toEqual([]);
    });

  test.skipIf(programOf('java') === null)('a jar has to be there, and to be one', async () => {
    const dir = serviceFolder({ 'no.jar': 'hello' });
    expect(short(await look(dir, 'java -Xmx64m -jar gone.jar'))[0]).toContain(
      'command_file_missing its command names gone.jar, which is not there',
    );
    expect(short(await look(dir, 'java -jar no.jar'))[0]).toContain('no.jar, which is no Java archive');
  });
});
