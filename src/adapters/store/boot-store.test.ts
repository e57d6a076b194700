import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { BootRecord } from '../../domains/boot/index.ts';
import { bootId } from '../../kernel/index.ts';
import { bootStore } from './boot-store.ts';
import { openStore } from './open-store.ts';

test('fingerprints of old boots are forgotten, but not that of the last verified one', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'grace-boots-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const store = await openStore(join(dir, 'grace.db'));
  onTestFinished(() => store.close());
  const boots = bootStore(store.db);
  for (let n = 1; n <= 6; n++) {
    const report = {} as BootRecord['report'];
    const rest = { endedAtMs: n, mode: 'resilient', report, outcome: 'failed' } as const;
    await boots.save({ ...rest, id: bootId(`boot_${n}`), startedAtMs: n, isVerified: n <= 2, fingerprint: { files: { [n]: 'x' } } });
  }
  await boots.forgetFingerprints(2);
  expect((await boots.list(10)).map((b) => [b.id, Object.keys(b.fingerprint).length])).toEqual([
    ['boot_6', 1],
    ['boot_5', 1],
    ['boot_4', 0],
    ['boot_3', 0],
    ['boot_2', 1],
    ['boot_1', 0],
  ]);
});
