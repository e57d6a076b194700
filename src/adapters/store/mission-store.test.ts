import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Mission } from '../../domains/missions/index.ts';
import { missionStore, openStore } from './index.ts';

const MISSION: Mission = {
  id: 'ms_1',
  key: 'api config_broken',
  component: 'api',
  code: 'config_broken',
  severity: 'error',
  message: 'it is no JSON',
  hint: 'mend it',
  evidence: [],
  place: null,
  state: 'open',
  openedAtMs: 1000,
  lastSeenAtMs: 1000,
  seen: 1,
  closedAtMs: null,
  closedBy: null,
  closeReason: null,
};

test('of a look and a person who drop and see one at the same time the person is kept', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'grace-missions-'));
  const [grace, person] = [await openStore(join(dir, 'grace.db')), await openStore(join(dir, 'grace.db'))];
  onTestFinished(() => {
    grace.close();
    person.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const [looks, drops] = [missionStore(grace.db), missionStore(person.db)];
  expect(await looks.save(MISSION, null)).toBe(true);
  const read = await looks.get('ms_1');
  expect(await drops.save({ ...MISSION, state: 'abandoned', closedBy: 'ann' }, 'open')).toBe(true);
  expect(await looks.save({ ...(read ?? MISSION), seen: 2 }, 'open'), 'it was read before').toBe(false);
  expect(await looks.standing()).toMatchObject([{ state: 'abandoned', closedBy: 'ann', seen: 1 }]);
  expect(await drops.save({ ...MISSION, state: 'abandoned', closedBy: 'bob' }, 'open'), 'dropped already').toBe(false);
  expect(await looks.save({ ...MISSION, state: 'abandoned', closedBy: 'ann', seen: 2 }, 'abandoned')).toBe(true);
  expect(await drops.get('ms_1')).toMatchObject({ seen: 2, closedBy: 'ann' });
});
