import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Pattern } from '../../domains/incidents/index.ts';
import { signatureOf } from '../../kernel/index.ts';
import { incidentStore } from './incident-store.ts';
import { openStore } from './open-store.ts';
import { aPattern } from './testing.ts';

const A = signatureOf('aaaaaaaaaaaaaaaa');

const opened = aPattern();

/** Two processes are two connections to one file. */
async function two() {
  const dir = mkdtempSync(join(tmpdir(), 'grace-incidents-'));
  const file = join(dir, 'grace.db');
  const stores = [await openStore(file), await openStore(file)] as const;
  onTestFinished(() => {
    for (const store of stores) store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return [incidentStore(stores[0].db), incidentStore(stores[1].db), file] as const;
}

const seen = (known: Pattern | null): Pattern => (known === null ? opened : { ...known, occurrences: known.occurrences + 1 });

test('of two processes that count one failure, none loses what the other counted', async () => {
  const [one, , file] = await two();
  await one.changePattern(A, seen);
  const other = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { incidentStore, openStore } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
const store = await openStore(process.argv[1]);
for (let i = 0; i < 50; i++) await incidentStore(store.db).changePattern('${A}', (p) => ({ ...p, occurrences: p.occurrences + 1 }));
store.close();`,
      file,
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const ended = once(other, 'exit');
  let counted = 1;
  while (other.exitCode === null && other.signalCode === null) {
    await one.changePattern(A, seen);
    counted++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await ended).toEqual([0, null]);
  expect((await one.pattern(A))?.occurrences).toBe(counted + 50);
});

test('what was read before the other counted does not count down', async () => {
  const [one, other] = await two();
  await one.changePattern(A, seen);
  const stale = await one.pattern(A);
  await other.changePattern(A, (known) => ({ ...seen(known), lastSeenMs: 50 }));
  if (stale !== null) await one.savePattern({ ...stale, rootCause: 'found' });
  expect(await other.pattern(A)).toMatchObject({ occurrences: 2, lastSeenMs: 50, rootCause: 'found' });
});

test('a change that is none leaves all as it is', async () => {
  const [one] = await two();
  expect(await one.changePattern(A, () => null)).toBeNull();
  expect(await one.patterns()).toEqual([]);
});
