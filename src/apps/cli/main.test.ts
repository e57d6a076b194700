import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'grace-main-'));
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

function grace(...args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const code = `import { main } from ${JSON.stringify(MAIN)}; await main(process.argv.slice(1));`;
  return spawnSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', code, '--', ...args], {
    cwd: dir,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
}

describe('the command line', () => {
  it('prints its version', () => {
    expect(grace('--version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  it('suggests what an unknown command may have meant, as wrong usage', () => {
    expect(grace('explian')).toMatchObject({ status: 2, stderr: expect.stringContaining('Did you mean explain?') });
    expect(grace('playbooks', 'lst')).toMatchObject({ status: 2, stderr: expect.stringContaining('list, show, enable, disable') });
    expect(grace('boots', '--limit', '0')).toMatchObject({ status: 2 });
    // One row a week: so many took all the memory there was.
    expect(grace('history', '--weeks', '99999999')).toMatchObject({ status: 2, stderr: expect.stringContaining('520 at most') });
  });

  it('takes no word that it does not know, since it would do something else than was meant', () => {
    for (const args of [
      ['audit', 'verify', '/tmp/exported'],
      ['audit', 'prove', '5', '6'],
      ['boots', 'rollback', 'boot_19990101_000000'],
      ['approvals', 'show', 'x', 'y'],
      ['playbooks', 'disable', 'a', 'b'],
      ['policy', 'show', 'extra'],
      ['status', 'extra'],
    ])
      expect([args, grace(...args)]).toEqual([
        args,
        expect.objectContaining({ status: 2, stderr: expect.stringMatching(/too many arguments|unknown command/) }),
      ]);
    expect(grace('audit', 'list', '--follow', '--before', '2')).toMatchObject({ status: 2 });
  });

  it('tells wrong usage as JSON where JSON is asked for, and only then', () => {
    for (const args of [['status', 'extra'], ['explian'], ['boots', '--limit', '0'], ['audit', 'reopen'], ['config']]) {
      const { status, stdout, stderr } = grace(...args, '--json');
      expect([args, status, stdout]).toEqual([args, 2, '']);
      expect(JSON.parse(stderr)).toEqual({
        error: { code: 'GRACE_CLI_USAGE', message: expect.any(String), hint: expect.any(String), details: expect.any(Object) },
      });
    }
    expect(grace('status', 'extra', '--', '--json').stderr).toContain('error: too many arguments');
  });

  it('refuses to look where nothing has booted, in words and as JSON, and leaves no trace', async () => {
    expect(grace('explain')).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('run grace up first') });
    const { status, stdout, stderr } = grace('status', '--json');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'GRACE_CLI_NOTHING_BOOTED_YET' } });
    expect(await readdir(dir)).toEqual([]);
  });

  it('reads the config that it wrote, and says so', () => {
    expect(grace('init', '--', 'node', 'server.mjs')).toMatchObject({ status: 0 });
    const { status, stdout } = grace('config', 'explain', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ value: ['node', 'server.mjs'], source: 'file' }));
    expect(grace('init', '--', 'node', 'server.mjs')).toMatchObject({ status: 1, stderr: expect.stringContaining('a config already') });
  });

  it('ends quietly when whoever reads it has seen enough', () => {
    const code = `import { main } from ${JSON.stringify(MAIN)}; await main(['config', 'explain', '--', 'node', 'server.mjs']);`;
    const { stderr } = spawnSync('sh', ['-c', '"$0" --no-warnings --input-type=module -e "$1" | true', process.execPath, code], {
      cwd: dir,
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    expect(stderr).toBe('');
  });

  it.each(['up', 'boot', 'check', 'init', 'status', 'health', 'boots', 'history', 'explain', 'diff', 'patterns', 'incidents'])(
    'has help for %s',
    (command) => {
      expect(grace(command, '--help')).toMatchObject({ status: 0, stdout: expect.stringContaining(`Usage: grace ${command}`) });
    },
  );
});
