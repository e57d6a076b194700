import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PortHolder, ProcessView } from '../domains/playbooks/index.ts';
import { primitives } from './index.ts';
import { lockPid } from './remove-stale-lock.ts';
import { Sandbox } from './testing/sandbox.ts';

let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
});
afterEach(() => box.remove());

function runs(pid: number, command: string, cwd: string | null, argv: readonly string[] = [command]): void {
  const view: ProcessView = { pid, startTicks: 5, command, argv, cwd, state: 'S', user: 'app', parentPid: 1 };
  box.processTable.set(pid, view);
}

describe('remove_stale_lock', () => {
  const name = 'remove_stale_lock';

  it('moves a lock aside whose process is gone, and back', async () => {
    await box.write('data/postmaster.pid', '4242\n/data\n1700000000\n5432\n', 0o600, 77);
    const before = await box.state();
    expect(await box.undoneAfterEveryCut(name, { path: 'data/postmaster.pid' }, before)).toMatchObject({ wrong: null });
    const record = await box.apply(name, { path: 'data/postmaster.pid' });
    expect(await box.state()).not.toHaveProperty('/data/postmaster.pid');
    expect(await fs.readdir(box.backupDir)).toHaveLength(1);
    await box.write('data/postmaster.pid', '5\n');
    await box.undo(name, record);
    expect(await box.read('data/postmaster.pid')).toBe('5\n');
  });

  it('takes a pid for stale that plainly another program has now', async () => {
    await box.write('postmaster.pid', '4242\n');
    runs(4242, 'sshd', '/');
    expect(await box.plan(name, { path: 'postmaster.pid', expect: 'postgres' })).toMatchObject({
      state: 'ready',
      summary: expect.stringMatching(/is sshd of app now/),
    });
    expect(await box.plan(name, { path: 'postmaster.pid' })).toMatchObject({ state: 'ready' });
  });

  it('refuses when the holder may live', async () => {
    await box.write('server.pid', '4242\n');
    runs(4242, 'node', box.root, ['node', 'server.js']);
    expect(await box.refusal(name, { path: 'server.pid' })).toMatch(/may hold/);
    runs(4242, 'something', box.path('sub'));
    expect(await box.refusal(name, { path: 'server.pid' }), 'works in our directory').toMatch(/may hold/);
    runs(4242, 'postgres', '/var/lib/postgresql');
    expect(await box.refusal(name, { path: 'server.pid', expect: 'postgres' })).toMatch(/may hold/);
    runs(4242, 'sshd', null);
    expect(await box.refusal(name, { path: 'server.pid' }), 'directory unknown').toMatch(/may hold/);
    runs(4242, 'java', '/');
    box.component = { ...box.component, command: ['npm', 'start'] };
    expect(await box.refusal(name, { path: 'server.pid' }), 'npm may have started anything').toMatch(/may hold/);
    await box.write('other.pid', '4243\n');
    expect(await box.refusal(name, { path: 'other.pid', pid: 4242 }), 'the process the message names lives').toMatch(/may hold/);
    box.processTable.delete(1);
    expect(await box.refusal(name, { path: 'other.pid' })).toMatch(/cannot be seen/);
  });

  it('refuses what is no lock of a process', async () => {
    await box.write('package-lock.json', '{"pid":4242}');
    await box.write('Gemfile.lock', '4242');
    await box.write('users.json', '{"pid":4242}');
    await box.write('empty.lock', '');
    await box.write('big.lock', '4242\n'.padEnd(5000, 'x'));
    expect(await box.refusal(name, { path: 'package-lock.json' })).toMatch(/versions of packages/);
    expect(await box.refusal(name, { path: 'Gemfile.lock' })).toMatch(/versions of packages/);
    expect(await box.refusal(name, { path: 'users.json', pid: 4242 })).toMatch(/not named like/);
    expect(await box.refusal(name, { path: 'empty.lock' })).toMatch(/names no process/);
    expect(await box.refusal(name, { path: 'big.lock' })).toMatch(/too large/);
    expect(await box.plan(name, { path: 'none.lock' })).toMatchObject({ state: 'nothing_to_do' });
    await fs.symlink(box.outside, box.path('link'));
    for (const path of ['../outside/a.lock', 'link/a.lock', join(box.outside, 'a.lock')])
      await expect(box.plan(name, { path })).rejects.toThrow(/outside the roots/);
  });

  it('handles lock directories and lock links', async () => {
    await box.write('run.lock/pid', '4242', 0o600, 7);
    await fs.symlink('host-4242', box.path('SingletonLock'));
    const before = await box.state();
    for (const path of ['run.lock', 'SingletonLock']) {
      const record = await box.apply(name, { path });
      expect(await box.state()).not.toHaveProperty(`/${path}`);
      await box.undo(name, record);
      expect(await box.state()).toEqual(before);
    }
  });

  it('reads pids as lock files write them', () => {
    for (const text of ['42', '42\n', ' 42 host', '{"pid":42}', 'pid: 42', 'host.example-42', 'me@host.42:1700000000', 'locked by 42'])
      expect(lockPid(text), text).toBe(42);
    for (const text of ['', 'locked', '{"a":1}', '0']) expect(lockPid(text), text).toBeNull();
  });
});

describe('ports and dependencies', () => {
  const holder: PortHolder = {
    pid: 812,
    startTicks: 99,
    command: 'node',
    argv: ['node', 'server.js'],
    cwd: '/srv/app',
    user: 'app',
    parentPid: 1,
    startedAtMs: 0,
    relation: 'own_stale',
  };

  it('ends only a stale copy of the component', async () => {
    expect(await box.plan('free_port', { port: 80 })).toMatchObject({ state: 'nothing_to_do' });
    for (const relation of ['foreign', 'own_other', 'managed'] as const) {
      box.holder = { ...holder, relation };
      expect(await box.refusal('free_port', { port: 80 })).toMatch(/pid 812, node server\.js \(user app, in \/srv\/app, parent 1\)/);
    }
    box.holder = holder;
    await box.apply('free_port', { port: 80 });
    expect(box.asked).toEqual(['end web 812 99']);
  });

  it('ends nobody when the holder has changed since the plan', async () => {
    box.holder = holder;
    const plan = await box.plan('free_port', { port: 80 });
    box.holder = { ...holder, startTicks: 100 };
    const primitive = primitives.get('free_port');
    if (plan.state !== 'ready') throw new Error('not ready');
    await expect(primitive?.apply({ port: 80 }, box.context(), plan.undo)).rejects.toThrow(/another holder/);
    expect(box.asked).toEqual([]);
  });

  it('waits for as long as it may', async () => {
    expect(await box.plan('wait_for_port', { port: 80, timeoutMs: 1000 })).toMatchObject({ state: 'nothing_to_do' });
    box.holder = holder;
    await expect(box.apply('wait_for_port', { port: 80, timeoutMs: 1000 })).rejects.toThrow(/not free within 1.0 s/);
    await expect(box.apply('wait_for_dependency', { host: 'db', port: 5432, timeoutMs: 700 })).rejects.toThrow(/did not answer/);
    expect(box.slept).toBe(1700);
    box.reachable = true;
    expect(await box.plan('wait_for_dependency', { host: 'db', port: 5432, timeoutMs: 700 })).toMatchObject({ state: 'nothing_to_do' });
    await expect(box.plan('wait_for_port', { port: 70_000, timeoutMs: 1 })).rejects.toThrow(/"port"/);
  });

  it('starts what is declared and says why it did not start', async () => {
    await box.apply('start_dependency', { name: 'postgres' });
    await expect(box.apply('start_dependency', { name: 'redis' })).rejects.toThrow(/redis said something/);
    await box.apply('resume_process', {});
    await box.apply('restart_component', { reason: 'it hangs' });
    await box.apply('notify', { message: 'look' });
    expect(box.asked).toEqual(['resume web', 'restart web it hangs', 'warn look']);
  });
});

describe('settings', () => {
  it('raises limits within bounds, and puts the old ones back', async () => {
    const before = box.overrides;
    for (const [name, params, key, value] of [
      ['raise_heap_limit', { toMb: 512 }, 'heapMb', 512],
      ['raise_heap_limit', { toMb: 100_000 }, 'heapMb', 2048],
      ['raise_open_files', { to: 1024 }, 'openFiles', 1024],
      ['raise_open_files', { to: 100_000 }, 'openFiles', 4096],
    ] as const) {
      const record = await box.apply(name, params);
      expect(box.overrides[key]).toBe(value);
      await box.undo(name, record);
      await box.undo(name, record);
      expect(box.overrides).toEqual(before);
    }
    box.overrides = { ...before, heapMb: 2048, openFiles: 4096 };
    expect(await box.refusal('raise_heap_limit', { toMb: 4096 })).toMatch(/half of the memory/);
    expect(await box.refusal('raise_open_files', { to: 5000 })).toMatch(/most possible/);
    expect(await box.plan('raise_heap_limit', { toMb: 1024 })).toMatchObject({ state: 'nothing_to_do' });
  });

  it('leaves a limit alone that somebody has chosen after it', async () => {
    const record = await box.apply('raise_heap_limit', { toMb: 512 });
    box.overrides = { ...box.overrides, heapMb: 700 };
    await box.undo('raise_heap_limit', record);
    expect(box.overrides.heapMb).toBe(700);
  });

  it('sets harmless variables and no others', async () => {
    box.overrides = { ...box.overrides, env: { A: '1', LANG: 'C' } };
    const before = box.overrides;
    const record = await box.apply('set_env_override', { name: 'LANG', value: 'C.UTF-8' });
    expect(box.overrides.env).toEqual({ A: '1', LANG: 'C.UTF-8' });
    await box.undo('set_env_override', record);
    expect(box.overrides).toEqual(before);
    for (const name of ['DB_PASSWORD', 'API_KEY', 'LD_PRELOAD', 'NODE_TLS_REJECT_UNAUTHORIZED', 'DISABLE_AUTH', 'A B'])
      await expect(box.plan('set_env_override', { name, value: '1' }), name).rejects.toThrow(/set_env_override/);
    for (const value of ['postgres://u:hunter22@h/db', 'a\nb'])
      await expect(box.plan('set_env_override', { name: 'X', value })).rejects.toThrow(/"value"/);
    await expect(box.plan('set_env_override', { name: 'NODE_OPTIONS', value: '--require ./x.js' })).rejects.toThrow(/load code/);
  });

  it('leaves out only what is optional', async () => {
    expect(await box.refusal('skip_component', { reason: 'no ffmpeg' })).toMatch(/not optional/);
    box.component = { ...box.component, optional: true };
    const record = await box.apply('skip_component', { reason: 'no ffmpeg' });
    expect(box.overrides.skip).toBe(true);
    await box.undo('skip_component', record);
    expect(box.overrides.skip).toBe(false);
  });
});

describe('every primitive', () => {
  it('stays inside the roots even where confine answers for a name only, and works in a root itself', async () => {
    box.confines = 'entry';
    box.packages = { ...box.packages, lockFile: null };
    box.component = { ...box.component, expendable: ['**'], database: 'link/x.db', migrate: ['true'] };
    const outside: Record<string, string> = {
      'x.json': '{',
      'x.json.bak': '{}',
      '.env': 'A=1\n',
      '.env.example': 'A=1\nB=2\n',
      'x.lock': '4242',
      'x.db': 'x',
      'x.aof': 'x',
      'package.json': '{}',
    };
    for (const [file, text] of Object.entries(outside)) {
      await fs.writeFile(join(box.outside, file), text);
      await fs.symlink(join(box.outside, file), box.path(`to-${file}`));
    }
    await fs.mkdir(join(box.outside, 'node_modules'));
    await fs.symlink(box.outside, box.path('link'));
    await box.write('mine.json', '{');
    const tries: readonly (readonly [string, Record<string, string | number | string[]>])[] = [
      ['restore_file', { path: 'link/x.json' }],
      ['restore_file', { path: 'to-x.json' }],
      ['restore_file', { path: 'mine.json', from: 'link/x.json.bak' }],
      ['restore_file', { path: 'mine.json', from: 'to-x.json.bak' }],
      ['create_env_file', { file: 'link/new', example: '.env' }],
      ['create_env_file', { file: 'new', example: 'to-.env.example' }],
      ['add_env_keys', { file: 'to-.env', keys: ['B'], from: 'example' }],
      ['add_env_keys', { file: 'link/.env', keys: ['B'], from: 'example' }],
      ['generate_secret', { file: 'to-.env', name: 'SESSION_SECRET', bytes: 32 }],
      ['make_directory', { path: 'link/new' }],
      ['restore_permissions', { path: 'link', uid: 1 }],
      ['restore_permissions', { path: 'to-.env', uid: 1 }],
      ['remove_stale_lock', { path: 'link/x.lock' }],
      ['set_aside', { path: 'link/x.json', digest: '' }],
      ['install_packages', { directory: 'link' }],
      ['rebuild_packages', { directory: 'link' }],
      ['free_disk_space', { path: 'link', bytes: Number.MAX_SAFE_INTEGER }],
      ['recover_sqlite', { path: 'to-x.db' }],
      ['recover_sqlite', { path: 'link/x.db' }],
      ['repair_append_only_file', { path: 'to-x.aof', tool: 'redis-check-aof' }],
      ['repair_append_only_file', { path: 'link', tool: 'redis-check-aof' }],
      ['run_migrations', {}],
    ];
    for (const [name, params] of tries) {
      const outcome = await box.plan(name, params).then(
        (plan) => plan.state,
        () => 'refused',
      );
      expect(outcome, `${name} ${JSON.stringify(params)}`).toBe('refused');
    }
    expect((await fs.readdir(box.outside)).toSorted()).toEqual([...Object.keys(outside), 'node_modules'].toSorted());

    await box.write('package.json', '{}');
    expect(await box.plan('install_packages', { directory: '.' })).toMatchObject({ state: 'ready' });
    expect(await box.plan('restore_permissions', { path: '.', uid: 1234, recursive: true })).toMatchObject({ state: 'ready' });
    expect(await box.plan('make_directory', { path: '.' })).toMatchObject({ state: 'nothing_to_do' });
    await box.write('mine.json.bak', '{}');
    await box.apply('restore_file', { path: 'mine.json' });
    expect(await box.read('mine.json')).toBe('{}');
  });

  it('is registered under its own name and refuses parameters it does not know', () => {
    expect([...primitives.keys()].toSorted()).toEqual([
      'add_env_keys',
      'create_env_file',
      'find_unawaited_calls',
      'free_disk_space',
      'free_port',
      'generate_client',
      'generate_secret',
      'group_recent_errors',
      'install_packages',
      'make_directory',
      'notify',
      'raise_heap_limit',
      'raise_open_files',
      'rebuild_packages',
      'record_migrations',
      'recover_sqlite',
      'relink_interpreter',
      'remove_stale_lock',
      'remove_stale_socket',
      'repair_append_only_file',
      'restart_component',
      'restore_columns',
      'restore_file',
      'restore_permissions',
      'restore_tables',
      'resume_process',
      'roll_back_release',
      'run_migrations',
      'run_project_script',
      'scale_workers',
      'set_aside',
      'set_env_override',
      'shell',
      'skip_component',
      'start_dependency',
      'use_another_port',
      'wait_for_dependency',
      'wait_for_port',
      'write_file',
    ]);
    for (const [name, primitive] of primitives) {
      expect(primitive.name).toBe(name);
      expect(() => primitive.parse({ path: 1, surprise: true })).toThrow(name);
    }
  });
});
