import { describe, expect, test } from 'vitest';
import type { PrimitiveParams } from '../domains/playbooks/index.ts';
import type { JsonObject } from '../kernel/index.ts';
import { primitives } from './index.ts';

/** Every parameter of every primitive, as its type allows it. */
const ALL: { readonly [N in keyof PrimitiveParams]: Required<PrimitiveParams[N]> } = {
  restore_file: { path: 'a', from: 'b' },
  set_aside: { path: 'a', digest: 'b' },
  create_env_file: { file: '.env', example: '.env.example' },
  add_env_keys: { file: '.env', keys: ['A'], from: 'last_good', example: '.env.example', replace: true },
  generate_secret: { file: '.env', name: 'SESSION_SECRET', bytes: 32 },
  make_directory: { path: 'a' },
  restore_permissions: { path: 'a', uid: 1, gid: 1, mode: '640', recursive: true },
  remove_stale_lock: { path: 'a', pid: 4711, expect: 'node' },
  remove_stale_socket: { path: 'a' },
  free_port: { port: 3000 },
  wait_for_port: { port: 3000, timeoutMs: 1000 },
  start_dependency: { name: 'db' },
  wait_for_dependency: { host: 'localhost', port: 5432, timeoutMs: 1000 },
  install_packages: { directory: '.', manager: 'npm', ifNeeded: true },
  roll_back_release: { boot: 'boot_20261101_000000', commit: '0123456789ab' },
  rebuild_packages: { directory: '.' },
  run_project_script: { directory: '.', script: 'build', makes: 'dist' },
  generate_client: { directory: '.', tool: 'prisma' },
  relink_interpreter: { directory: '.venv' },
  run_migrations: {},
  record_migrations: { migrations: ['m/1'] },
  restore_tables: { tables: ['a'] },
  restore_columns: { columns: ['a.b'] },
  recover_sqlite: { path: 'a.db' },
  repair_append_only_file: { path: 'a.aof', tool: 'redis-check-aof' },
  free_disk_space: { path: '.', bytes: 1 },
  raise_heap_limit: { toMb: 512 },
  raise_open_files: { to: 1024 },
  set_env_override: { name: 'LANG', value: 'C.UTF-8' },
  resume_process: {},
  restart_component: { reason: 'r' },
  skip_component: { reason: 'r' },
  notify: { message: 'm' },
};

/** Those that may be left out, by their types. */
type Optional<T> = { [K in keyof T]-?: Record<string, never> extends Pick<T, K> ? K : never }[keyof T];
const OPTIONAL: { readonly [N in keyof PrimitiveParams]?: readonly Optional<PrimitiveParams[N]>[] } = {
  restore_file: ['from'],
  add_env_keys: ['example', 'replace'],
  restore_permissions: ['uid', 'gid', 'mode', 'recursive'],
  remove_stale_lock: ['pid', 'expect'],
  install_packages: ['manager', 'ifNeeded'],
  roll_back_release: ['commit'],
  run_project_script: ['makes'],
};

describe('the types of parameters', () => {
  test('are there for every primitive, and for no other', () => {
    expect(Object.keys(ALL).toSorted()).toEqual([...primitives.keys()].toSorted());
  });

  test.each(Object.entries(ALL) as [keyof PrimitiveParams, JsonObject][])('of %s are what it takes', (name, params) => {
    const parse = (given: JsonObject): unknown => primitives.get(name)?.parse(given);
    expect(() => parse(params)).not.toThrow();
    const optional: readonly string[] = OPTIONAL[name] ?? [];
    for (const key of Object.keys(params)) {
      const { [key]: _left, ...rest } = params;
      if (optional.includes(key)) expect(() => parse(rest)).not.toThrow();
      else expect(() => parse(rest), `${key} has to be there`).toThrow(key);
    }
    const known = /it takes (.*)$/.exec(messageOf(() => parse({ '?': 1 })))?.[1] ?? '';
    expect(Object.keys(params).toSorted()).toEqual((known === 'none' ? [] : known.split(', ')).toSorted());
  });
});

function messageOf(work: () => unknown): string {
  try {
    work();
    return '';
  } catch (error) {
    return String(error);
  }
}
