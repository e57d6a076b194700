import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeFiles } from '../adapters/node/files.ts';
import type { ComponentOverrides } from '../domains/playbooks/index.ts';
import type { ComponentSpec } from '../domains/supervisor/index.ts';
import { component } from '../domains/supervisor/testing.ts';
import { buildLaunch, callerEnvironment } from './service-environment.ts';

describe('the environment of whoever started Grace', () => {
  test('is handed on as it is', () => {
    const env = { PATH: '/usr/bin:/srv/node_modules/.bin', NODE: '/x', INIT_CWD: '/y', npm_config_registry: 'https://r', EMPTY: '' };
    expect(callerEnvironment({ ...env, UNSET: undefined })).toEqual(env);
  });

  test('is without what npm put in between, and with what a person set for npm', () => {
    const under = {
      npm_lifecycle_event: 'start', npm_lifecycle_script: 'grace up', npm_package_name: 'shop', npm_package_version: '1', npm_command: 'run', npm_execpath: '/npm', npm_node_execpath: '/node',
      npm_config_user_agent: 'npm', npm_config_local_prefix: '/srv', npm_config_cache: '/c', INIT_CWD: '/srv', NODE: '/node',
      npm_config_registry: 'https://registry.example', npm_config__auth: 'secret', NODE_ENV: 'production', NODE_OPTIONS: '--trace-warnings', PORT: '3000',
    }; // prettier-ignore
    expect(callerEnvironment(under)).toEqual({
      npm_config_registry: 'https://registry.example',
      npm_config__auth: 'secret',
      NODE_ENV: 'production',
      NODE_OPTIONS: '--trace-warnings',
      PORT: '3000',
    });
  });

  test('has the PATH a shell would have', () => {
    const path =
      '/srv/node_modules/.bin:/node_modules/.bin:/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin:/usr/local/bin:/srv/bin';
    expect(callerEnvironment({ npm_execpath: '/npm', PATH: path })['PATH']).toBe('/usr/local/bin:/srv/bin');
  });
});

describe('a launch', () => {
  let dir = '';
  beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'grace-environment-'))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const NONE: ComponentOverrides = { openFiles: null, heapMb: null, env: {}, skip: false };
  const launch = (spec: Partial<ComponentSpec> = {}, caller: Record<string, string> = {}, overrides: Partial<ComponentOverrides> = {}) =>
    buildLaunch(component({ cwd: dir, ...spec }), { LANG: 'de_DE.UTF-8', ...caller }, { ...NONE, ...overrides }, nodeFiles);
  const envFile = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };

  test('what was learned wins over the config, that over the caller, that over env files, and a later file over an earlier', async () => {
    const envFiles = [
      envFile('.env', 'A=first\nB=first\nC=first\nD=first\nE=first\n'),
      envFile('.env.local', 'B=second\nC=second\nD=second\nE=second\n'),
    ];
    const { env } = await launch(
      { envFiles, env: { D: 'config', E: 'config' } },
      { C: 'caller', D: 'caller', E: 'caller' },
      { env: { E: 'learned' } },
    );
    expect(env).toMatchObject({ A: 'first', B: 'second', C: 'caller', D: 'config', E: 'learned' });
  });

  test('an env file that is missing or unreadable is left out', async () => {
    expect((await launch({ envFiles: [join(dir, 'none'), dir, envFile('.env', 'A=1')] })).env['A']).toBe('1');
  });

  test('env files that the command reads by itself are left to it', async () => {
    expect((await launch({ loadEnvFiles: false, envFiles: [envFile('.env', 'A=1')] })).env['A']).toBeUndefined();
  });

  test('quotes, comments and long values of an env file mean what they mean to Node', async () => {
    const { env } = await launch({ envFiles: [envFile('.env', '# comment\nA="two words" # more\nB=\'#raw\'\nexport C=1\nD="a\nb"\n')] });
    expect(env).toMatchObject({ A: 'two words', B: '#raw', C: '1', D: 'a\nb' });
  });

  describe('with another heap limit', () => {
    test('gets it by NODE_OPTIONS, beside what stands there already', async () => {
      const { env, argv, heapMb } = await launch({}, { NODE_OPTIONS: '--trace-warnings' }, { heapMb: 512 });
      expect(env['NODE_OPTIONS']).toBe('--trace-warnings --max-old-space-size=512');
      expect([argv, heapMb]).toEqual([['node', 'server.js'], 512]);
    });

    test.each(['--max-old-space-size=64', '--max_old_space_size=64', '--trace-warnings --max-old-space-size=64 --no-deprecation'])(
      'replaces the one in NODE_OPTIONS %s',
      async (before) => {
        const { env, heapMb } = await launch({}, { NODE_OPTIONS: before }, { heapMb: 512 });
        expect(env['NODE_OPTIONS']?.match(/max.old.space.size/g)).toHaveLength(1);
        expect([heapMb, env['NODE_OPTIONS']]).toEqual([512, expect.stringContaining('--max-old-space-size=512')]);
      },
    );

    test('replaces the one in the command, which would win over NODE_OPTIONS', async () => {
      const { env, argv, heapMb } = await launch({ command: ['node', '--max-old-space-size=64', 'server.js'] }, {}, { heapMb: 512 });
      expect([argv, heapMb, env['NODE_OPTIONS']]).toEqual([['node', '--max-old-space-size=512', 'server.js'], 512, undefined]);
    });

    test('replaces the one inside a shell line', async () => {
      const { argv } = await launch({ command: ['sh', '-c', 'node --max-old-space-size=64 server.js'] }, {}, { heapMb: 512 });
      expect(argv[2]).toBe('node --max-old-space-size=512 server.js');
    });

    test('takes what was learned over what the config says', async () => {
      expect(await launch({ limits: { heapMb: 256, openFiles: 100 } })).toMatchObject({ heapMb: 256, openFiles: 100 });
      expect(await launch({ limits: { heapMb: 256, openFiles: 100 } }, {}, { heapMb: 512, openFiles: 200 })).toMatchObject({
        heapMb: 512,
        openFiles: 200,
      });
    });
  });

  test('knows the heap limit it has anyway, and that it has none', async () => {
    expect((await launch({}, { NODE_OPTIONS: '--max-old-space-size=128' })).heapMb).toBe(128);
    expect(
      (await launch({ command: ['node', '--max-old-space-size=96', 'x.js'] }, { NODE_OPTIONS: '--max-old-space-size=128' })).heapMb,
    ).toBe(96);
    expect((await launch()).heapMb).toBeNull();
  });

  describe('is the same to the next Grace', () => {
    const hash = async (...args: Parameters<typeof launch>) => (await launch(...args)).specHash;

    test('whatever the shell it is started from holds', async () => {
      expect(await hash({}, { SSH_CLIENT: 'a' })).toBe(await hash({}, { TERM: 'b' }));
    });

    test('in whatever order its variables stand', async () => {
      expect(await hash({ env: { A: '1', B: '2' } })).toBe(await hash({ env: { B: '2', A: '1' } }));
    });

    test.each<[string, Parameters<typeof launch>]>([
      ['another command', [{ command: ['node', 'other.js'] }]],
      ['another variable', [{ env: { A: '1' } }]],
      ['a learned variable', [{}, {}, { env: { A: '1' } }]],
      ['another heap limit', [{}, {}, { heapMb: 512 }]],
      ['another limit of open files', [{}, {}, { openFiles: 512 }]],
      ['another directory', [{ cwd: '/srv' }]],
    ])('but not with %s', async (_what, args) => {
      expect(await hash(...args)).not.toBe(await hash());
    });

    test('but not with another env file', async () => {
      const before = await hash({ envFiles: [envFile('.env', 'A=1')] });
      expect(await hash({ envFiles: [envFile('.env', 'A=2')] })).not.toBe(before);
    });
  });

  test('is left out where that was learned', async () => {
    expect([(await launch()).skip, (await launch({}, {}, { skip: true })).skip]).toEqual([false, true]);
  });
});
