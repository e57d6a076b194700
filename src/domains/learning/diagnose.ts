import { messageOf, type Logger } from '../../kernel/index.ts';
import type { AutonomyTier } from '../governance/index.ts';
import type { CaseFile, Diagnosis, FailureFamily, Remedy } from './family.ts';

export interface Verdict {
  /** The best explanation there is. */
  readonly best: Diagnosis;
  /** What to do; null when nothing may or can be done now. */
  readonly chosen: Diagnosis | null;
  /** All of them, most likely first. */
  readonly all: readonly Diagnosis[];
}

/** A hold this sure is not overridden by a less sure remedy. */
const HOLD_CONFIDENCE = 0.7;

/**
 * Lays the case before every family; a family that breaks is left out and logged, never the end of the diagnosis.
 * @param tierInForce  of what would be run for a remedy, which may have been raised or lowered since; the declared one unless given
 */
export async function diagnose(
  c: CaseFile,
  families: readonly FailureFamily[],
  logger: Logger,
  tierInForce: (remedy: Remedy) => Promise<AutonomyTier> = async (remedy) => remedy.tier,
): Promise<Verdict> {
  const answers = await Promise.all(
    families.map(async (family) => {
      try {
        return await family.diagnose(c);
      } catch (error) {
        logger.error(`family ${family.name} could not diagnose`, { error: messageOf(error) });
        return [];
      }
    }),
  );
  const all = answers.flat().toSorted((a, b) => b.confidence - a.confidence);
  const unexplained: Diagnosis = {
    family: 'unexplained',
    cause: c.failure.headline === '' ? c.failure.message : c.failure.headline,
    evidence: c.failure.output.slice(-5),
    confidence: 0,
    remedy: null,
    advice: [`read the output: ${c.component.logFile}`],
    waitFor: null,
  };
  const usual = all.filter((d) => d.remedy?.isLastResort !== true);
  const best = usual[0] ?? all[0] ?? unexplained;
  const first = choose(usual, c.attempts);
  const asksPeople = first === null || (await isGuessForPeople(first, tierInForce));
  const chosen = asksPeople ? (lastResort(best, all, c.attempts) ?? first) : first;
  return { best, chosen, all: all.length === 0 ? [unexplained] : all };
}

/** The most likely remedy that was not tried yet, unless a surer diagnosis says to hold. */
function choose(all: readonly Diagnosis[], attempts: readonly string[]): Diagnosis | null {
  for (const diagnosis of all) {
    if (diagnosis.remedy === null) {
      if (diagnosis.confidence >= HOLD_CONFIDENCE) return null;
      continue;
    }
    if (!attempts.includes(diagnosis.remedy.playbook)) return diagnosis;
  }
  return null;
}

/** People would have to agree to it, and it is no more than a guess: then they are asked for what is whole instead. */
async function isGuessForPeople(
  { remedy, confidence }: Diagnosis,
  tierInForce: (remedy: Remedy) => Promise<AutonomyTier>,
): Promise<boolean> {
  if (remedy === null || confidence >= GUESS) return false;
  const tier = await tierInForce(remedy);
  return tier === 'tier_3' || tier === 'tier_4';
}

/** As in `healing/unproven-runs.ts`: what is less sure is taken back when it does not help. */
const GUESS = 0.6;

/**
 * What is left when nothing that mends the failure itself can be tried. Where it is known what to wait for, that comes first:
 * no earlier release brings back a server that is down.
 */
export function lastResort(best: Diagnosis, all: readonly Diagnosis[], attempts: readonly string[]): Diagnosis | null {
  if (best.waitFor !== null && best.waitFor.kind !== 'file_change') return null;
  const found = all.find(({ remedy }) => remedy?.isLastResort === true && !attempts.includes(remedy.playbook));
  if (found === undefined || found === best) return found ?? null;
  return {
    ...found,
    cause: `${best.cause}; ${found.cause}`,
    evidence: [...new Set([...found.evidence, ...best.evidence])].slice(0, EVIDENCE_MAX),
    advice: [...new Set([...best.advice, ...found.advice])],
  };
}

const EVIDENCE_MAX = 8;
