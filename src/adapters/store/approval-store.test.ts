import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { approvalsHeld, bindingHash } from '../../domains/governance/index.ts';
import { approvalStore, openStore, SCHEMA_VERSION } from './index.ts';
import { withoutGovernedActions } from './testing.ts';

test('an approval of a store from before there were plans stays what it was, bound to the file alone', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'grace-approvals-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, 'grace.db');
  (await openStore(path)).close();
  const database = new DatabaseSync(path);
  for (const column of ['requested_by', 'foreseen', 'claimed_names']) database.exec(`alter table approvals drop column ${column}`);
  withoutGovernedActions(database);
  database
    .prepare(
      `insert into approvals (id, playbook, component, incident_id, summary, binding_hash, required, approved_by, rejected_by, created_at, expires_at)
       values ('ap_1', 'mend', 'api', 'i', '["do it (set)"]', ?, 1, '["ann"]', null, 1, 99)`,
    )
    .run(bindingHash('bytes', 'api', {}));
  database.exec('pragma user_version = 2');
  database.close();
  const store = await openStore(path);
  onTestFinished(() => store.close());
  expect(store.version()).toBe(SCHEMA_VERSION);
  const approval = await approvalStore(store.db).byBinding(bindingHash('bytes', 'api', {}));
  expect(approval).toMatchObject({ id: 'ap_1', approvedBy: ['ann'], requestedBy: null, foreseen: null, claimedNames: {} });
  expect(approvalsHeld(approval, 50)).toBe(1);
});
