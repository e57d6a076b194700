import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { BootReport } from '../../domains/boot/index.ts';
import { fitted, learnedSummary } from './learned-summary.ts';

const CAUSE = 'config.json cannot be read any more; its copy of the last good boot can be, and is put back as soon as it may be';

test('a cause is broken beside the names while there is room for words', () => {
  expect(fitted([['  autonomy_load_01234567', 'healed', 'restore_config_json', CAUSE]]).split('\n')).toEqual([
    '  autonomy_load_01234567  healed  restore_config_json  config.json cannot be read any more; its copy',
    `${' '.repeat(55)}of the last good boot can be, and is put back`,
    `${' '.repeat(55)}as soon as it may be`,
  ]);
});

test('and below them where the names take the line', () => {
  const text = fitted([['  autonomy_load_01234567', 'needs approval', 'learned_restore_file_limits_json_fb122a', CAUSE]]);
  expect(text.split('\n')).toEqual([
    '  autonomy_load_01234567  needs approval  learned_restore_file_limits_json_fb122a',
    '      config.json cannot be read any more; its copy of the last good boot can be, and is put back as',
    '      soon as it may be',
  ]);
});

test.each([
  ['success', true],
  ['stopped', true],
  // by a check: nothing is explained of it
  ['failed', false],
] as const)('of a boot that is %s it says that nothing failed: %s', async (outcome, isSaid) => {
  const dir = mkdtempSync(join(tmpdir(), 'grace-summary-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const text = (await learnedSummary(dir, { boot_id: 'b', outcome } as BootReport)).join('\n');
  expect(text.includes('nothing failed in this run')).toBe(isSaid);
});
