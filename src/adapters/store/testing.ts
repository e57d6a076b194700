import type { DatabaseSync } from 'node:sqlite';
import type { Pattern } from '../../domains/incidents/index.ts';
import { incidentId, signatureOf } from '../../kernel/index.ts';

/** A pattern that was seen once; a test says only what it is about. */
export function aPattern(parts: Partial<Pattern> = {}): Pattern {
  return {
    signature: signatureOf('aaaaaaaaaaaaaaaa'),
    incidentId: incidentId('runtime_aaaaaaaa'),
    family: 'f',
    component: 'api',
    stage: 'runtime',
    familyName: null,
    template: 't',
    rootCause: '',
    occurrences: 1,
    firstSeenMs: 1,
    lastSeenMs: 2,
    state: 'new',
    playbook: null,
    cleanBoots: 0,
    ...parts,
  };
}

/** Takes back what migration 4 has made: a store as it was before. */
export function withoutGovernedActions(database: DatabaseSync): void {
  database.exec('alter table approvals drop column action');
  for (const table of ['decisions', 'mode_changes', 'requests', 'policy_texts']) database.exec(`drop table ${table}`);
}
