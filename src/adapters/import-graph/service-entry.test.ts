import { chmodSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { serviceEntry } from './service-entry.ts';

describe('a program that is a script for Node', () => {
  function program(text: string): { readonly file: string; readonly main: () => string | undefined } {
    const cwd = mkdtempSync(join(tmpdir(), 'grace-entry-'));
    onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
    const file = join(cwd, 'serve');
    writeFileSync(file, text);
    chmodSync(file, 0o755);
    const env = { PATH: `${cwd}${delimiter}${dirname(process.execPath)}` };
    return { file, main: () => serviceEntry({ command: ['serve'], cwd, env })?.modules[0]?.specifier };
  }

  test('is known by its first line, and nothing behind it is read', () => {
    const { file, main } = program('#!/usr/bin/env node\n');
    truncateSync(file, 3 * 1024 ** 3); // a hole: no file of this size can be read as a whole
    expect(main()).toBe(file);
  });

  test('is looked at again when it has changed', () => {
    const { file, main } = program('#!/bin/sh\n');
    expect([main(), main()]).toEqual([undefined, undefined]);
    writeFileSync(file, '#!/usr/bin/env node\n');
    expect([main(), main()]).toEqual([file, file]);
  });
});

describe('a script of a package in another folder', () => {
  function main(command: string): string | null | undefined {
    const cwd = mkdtempSync(join(tmpdir(), 'grace-entry-'));
    onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
    for (const dir of ['.', 'packages/a']) {
      mkdirSync(join(cwd, dir), { recursive: true });
      writeFileSync(join(cwd, dir, 'package.json'), '{"scripts":{"start":"node server.js","serve":"node server.js"}}');
    }
    const entry = serviceEntry({ command: command.split(' '), cwd, env: { PATH: dirname(process.execPath) } });
    return entry === null ? null : entry.modules[0]?.specifier.replace(`${cwd}/`, '');
  }

  test.each([
    'npm start -w packages/a',
    'npm --workspace=packages/a run serve',
    'npm start --prefix packages/a',
    'npm -C packages/a start',
    'pnpm -C packages/a start',
    'pnpm --dir packages/a run serve',
    'yarn --cwd packages/a start',
  ])('is looked for there: %s', (command) => {
    expect(main(command)).toBe('packages/a/server.js');
  });

  test.each(['npm start -w a', 'npm start -ws', 'pnpm --filter a start', 'pnpm -r start', 'pnpm -w start', 'npm -C gone start'])(
    'is not that of this one where the folder cannot be told: %s',
    (command) => {
      expect(main(command)).toBeNull();
    },
  );

  test.each(['npm start', 'npm start -- -w packages/a', 'pnpm run serve -C packages/a', 'npm run serve'])(
    'is that of this one otherwise: %s',
    (command) => {
      expect(main(command)).toBe('server.js');
    },
  );
});

test('the configuration of TypeScript is the one that the command or the environment names', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'grace-entry-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const named = (command: string, env: Record<string, string> = {}): string | null | undefined =>
    serviceEntry({ command: command.split(' '), cwd, env: { PATH: dirname(process.execPath), ...env } })?.tsconfig?.replace(cwd, '');
  expect(named('npx tsx --tsconfig tsconfig.server.json server.ts')).toBe('/tsconfig.server.json');
  expect(named('ts-node -P other/tsconfig.json server.ts')).toBe('/other/tsconfig.json');
  expect(named('ts-node --project=other server.ts')).toBe('/other');
  expect(named('tsx server.ts', { TSX_TSCONFIG_PATH: 'a.json', TS_NODE_PROJECT: 'b.json' })).toBe('/a.json');
  expect(named('node -r ts-node/register server.ts', { TS_NODE_PROJECT: 'b.json' })).toBe('/b.json');
  expect(named('node server.js', { TS_NODE_PROJECT: 'b.json' })).toBeUndefined();
  expect(named('tsx server.ts')).toBeUndefined();
});
