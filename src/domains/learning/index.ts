// Learning: from one failure to never again. A case file is laid before the catalog's families; the best diagnosis
// becomes a playbook; a fix that held becomes a guard.
export { factsOf, type CaseFile, type Diagnosis, type FailureFamily, type GuardCase, type Remedy, type WaitFor } from './family.ts';
export type { Drift } from './drift.ts';
