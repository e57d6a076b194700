// The store: SQLite through kysely; one file per domain's repository.
export { openStore, type OpenedStore } from './open-store.ts';
export { StoreUnwritable } from './errors.ts';
export { REQUIRED_TABLES, SCHEMA_VERSION } from './migrations.ts';
export { bootStore } from './boot-store.ts';
export { groupingRuleStore } from './grouping-rule-store.ts';
export { incidentStore } from './incident-store.ts';
export { journalStore, playbookStore } from './playbook-store.ts';
export { approvalStore } from './approval-store.ts';
export { shadowStore, tierChangeStore } from './autonomy-store.ts';
export { limitStore, type LeaseHolder } from './limit-store.ts';
export { overrideStore, processStore } from './process-store.ts';
export { lastGoodStore, snapshotStore, type SnapshotStore } from './last-good-store.ts';
export { failedStateStore } from './failed-state-store.ts';
export { templateStore } from './template-store.ts';
export type { Tables } from './tables.ts';
