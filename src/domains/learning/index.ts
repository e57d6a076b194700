// Learning: from one failure to never again. What happened is captured; a case file is laid before the catalog's
// families; the best diagnosis becomes a playbook; a fix that held becomes a guard; what a good boot looked like is kept.
export { observe, record, type Captured, type CaptureInput, type CapturePorts, type LogPart } from './capture.ts';
export { diagnose, type Verdict } from './diagnose.ts';
export type { Drift } from './drift.ts';
export { factsOf, type CaseFile, type Diagnosis, type FailureFamily, type GuardCase, type Remedy, type WaitFor } from './family.ts';
export { compareFingerprints, fingerprintFrom, type Fingerprint, type FingerprintChange } from './fingerprint.ts';
export { generatePlaybookSource, portableSteps } from './generate-playbook.ts';
export { healthScore, SCORED_BOOTS, type BootOutcome, type HealthScore } from './health-score.ts';
export {
  LastGoodKeeper,
  type ContentCheck,
  type CopyVault,
  type LastGoodPorts,
  type LastGoodStore,
  type StoredEntry,
  type LeftBehind,
} from './last-good-keeper.ts';
