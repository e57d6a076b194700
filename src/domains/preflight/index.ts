// Pre-flight: what is wrong before anything is started.
export type { Finding, FindingFix, Severity } from './finding.ts';
