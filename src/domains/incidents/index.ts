// Incidents: what went wrong, in one vocabulary for every language and every later domain.
// A component's output becomes clean lines (output), without secrets (redaction), read into facts (fact);
// facts give a signature; a failure is one occurrence; a pattern is a family of them and how far Grace is immune.
// Lines that no fact is read from are sorted into templates (templates/template-miner).
export type { Fact, FactKind, FactReader, FactRuntime, Frame, OutputFacts } from './fact.ts';
export { cleanLines, LINE_CHARS_MAX, READ_LINES_MAX, windowOf } from './output.ts';
export { isSecretName, REDACTED, Redactor } from './redaction.ts';
export { spokenAnswer } from './spoken-answer.ts';
export {
  compareSignatures,
  readSignatureParts,
  type SignatureDifference,
  type SignaturePart,
  type SignaturePartName,
} from './signature-parts.ts';
export { computeSignature, principalFact, type SignatureInput, type SignatureResult } from './signature.ts';
export type { Failure, Symptom } from './failure.ts';
export type { ExplainedChange, Explanation, IncidentStore } from './ports.ts';
export { incidentIdOf, nextPatternState, type Pattern, type PatternEvent, type PatternState } from './pattern.ts';
// A person's rule outranks the signature: these two are one, those are not.
export { GroupingRefused } from './errors.ts';
export {
  groupFailure,
  mergedInto,
  membersOf,
  mergePatterns,
  partOf,
  SPLIT_PARTS,
  splitPattern,
  standingPatterns,
  takeBackRule,
  type Grouped,
  type GroupingRule,
  type SplitPart,
  type TakenBack,
} from './grouping-rule.ts';
export type { GroupingRuleStore, Occurrence, SuggestedCommand } from './ports.ts';
export { TemplateMiner, type TemplateId, type TemplateMinerLimits, type TemplateMinerState } from './templates/template-miner.ts';
