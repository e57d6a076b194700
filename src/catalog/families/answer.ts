import type { JsonObject } from '../../kernel/index.ts';
import type { AutonomyTier, Risk } from '../../domains/governance/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import type { CaseFile, Diagnosis, Remedy, WaitFor } from '../../domains/learning/index.ts';
import type { RemedyStep } from '../../domains/playbooks/index.ts';

/** Risk and tier belong together: what may run alone, what runs with notice, what a person has to agree to. */
export interface Care {
  readonly risk: Risk;
  readonly tier: AutonomyTier;
}

/** Waiting, an empty directory, a restart, a limit one step up: nothing of value is touched. */
export const HARMLESS: Care = { risk: 'low', tier: 'tier_1' };
/** As harmless, and without a way back: a stale process is ended, a stopped one goes on. People hear of it. */
export const ONE_WAY: Care = { risk: 'low', tier: 'tier_2' };
/** Something of the service's own is put back as it was, and what was there is kept. */
export const CAREFUL: Care = { risk: 'medium', tier: 'tier_2' };
/** Code, or anything whose result nobody can foresee. */
export const DELICATE: Care = { risk: 'high', tier: 'tier_3' };

/** How sure, by what speaks for it. */
export const SURE = 0.95;
/** Above what others make of the same words: only this family knows what they mean here. */
export const KNOWN = 0.9;
export const LIKELY = 0.85;
export const PLAUSIBLE = 0.75;
export const WORDS_ONLY = 0.6;
/** A variable that changed or is lost is tried first: what fails is often made of it. */
export const AFTER_VARIABLES = 0.45;
export const GUESS = 0.3;
/** Said, and perhaps only in passing: explains, and keeps no other remedy from being tried (that takes 0.7). */
export const PERHAPS = 0.65;

interface Answer {
  readonly cause: string;
  readonly confidence: number;
  readonly evidence?: readonly string[];
  readonly remedy?: Remedy | null;
  readonly advice?: readonly string[];
  readonly waitFor?: WaitFor | null;
}

export function diagnosis(family: string, answer: Answer): Diagnosis {
  const { cause, confidence, evidence = [], remedy = null, advice = [], waitFor = null } = answer;
  return { family, cause, confidence, evidence: [...new Set(evidence.filter((line) => line !== ''))].slice(0, 8), remedy, advice, waitFor };
}

export function step(name: string, primitive: string, params: JsonObject = {}): RemedyStep {
  return { name, primitive, params };
}

/** A remedy after which the component is started again. */
export function remedy(playbook: string, description: string, care: Care, steps: readonly RemedyStep[]): Remedy {
  return { playbook, description, ...care, steps, restart: true };
}

/** A remedy that starts or continues the component by itself, or leaves it running. */
export function remedyInPlace(playbook: string, description: string, care: Care, steps: readonly RemedyStep[]): Remedy {
  return { ...remedy(playbook, description, care, steps), restart: false };
}

export function linesOf(facts: readonly Fact[]): readonly string[] {
  return facts.map((f) => f.line);
}

export function isRuntime(c: Pick<CaseFile, 'failure'>): boolean {
  return c.failure.stage === 'runtime';
}

/**
 * It does not start, or does not work. Only then do differences on disk count as evidence by themselves: what hangs or
 * slows down after hours was started from them long ago.
 */
export function failsToWork(c: Pick<CaseFile, 'failure'>): boolean {
  return ['exit', 'spawn', 'not_ready', 'smoke', 'crash_loop', 'check', 'wrong_process', 'dependency'].includes(c.failure.symptom);
}

/** Everything that was said, as one text: to see whether a name occurs in it. */
export function saidBy(c: Pick<CaseFile, 'failure'>): string {
  return [c.failure.message, c.failure.headline, ...c.failure.output].join('\n');
}

export function text(fact: Fact, key: string): string {
  const value = fact.details[key];
  return value === undefined ? '' : String(value);
}

export function number(fact: Fact, key: string): number | null {
  const value = Number(fact.details[key] ?? Number.NaN);
  return Number.isFinite(value) ? value : null;
}
