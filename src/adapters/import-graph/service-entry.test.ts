import { chmodSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
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
