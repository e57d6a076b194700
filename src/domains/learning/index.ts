// Learning: from one failure to never again. What happened is captured; a case file is laid before the catalog's
// families; the best diagnosis becomes a playbook; a fix that held becomes a guard; what a good boot looked like is kept.
// How well it goes is scored, told week by week, and turned into suggestions.
export type { TemplateStore } from './template-names.ts';
export { observe, record, type Captured, type CaptureInput, type CapturePorts, type LogPart } from './capture.ts';
export { commandsAfterHealing, commandsAfterRestart, commandsFor, type CommandCase } from './commands-for.ts';
export { diagnose, lastResort, type Verdict } from './diagnose.ts';
export type { Drift } from './drift.ts';
export { releaseState, type PastRelease, type ReleaseState } from './release-state.ts';
export { evolution, evolutionStartMs, type WeekOfLearning } from './evolution.ts';
export { explanationOf } from './explanation.ts';
export { factsOf, type CaseFile, type Diagnosis, type FailureFamily, type GuardCase, type Remedy, type WaitFor } from './family.ts';
export { fingerprintFrom, type Fingerprint, type FingerprintPart, type Values } from './fingerprint.ts';
export { compareFingerprints, type FingerprintChange } from './fingerprint-changes.ts';
export { generatePlaybookSource, portableSteps } from './generate-playbook.ts';
export { draftPlaybookSource, type PlaybookDraft } from './draft-playbook.ts';
export { suggestionsFor, trackRecord, type Suggestion } from './suggestions.ts';
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
export { describeChange, describeSuspect, LIKELY_WEIGHT, rankSuspects, type Suspect, type SuspectCase } from './suspects.ts';
export { FAILED_STATES_MAX, type ComponentState, type FailedState, type FailedStateStore, type PathTrace } from './component-state.ts';
export { isSameState, stateDifferences, type ComparedStates, type StateDifference } from './state-differences.ts';
export { namedBy } from './named-paths.ts';
export { lessonFrom, type Lesson, type LessonInput } from './lesson.ts';
export type { EndedBy, SeenStep, ShadowRecord, ShadowScore, ShadowStore } from './shadow-record.ts';
export { scoreShadow, selfRecoveryOf, type EndedEpisode, type Scored } from './shadow-score.ts';
export { isPlainSetting } from './plain-setting.ts';
export { countRestless, restlessPaths, UNKNOWN_RESTLESSNESS, type Restlessness } from './restlessness.ts';
