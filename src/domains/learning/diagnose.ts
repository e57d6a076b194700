import { messageOf, type Logger } from '../../kernel/index.ts';
import type { CaseFile, Diagnosis, FailureFamily } from './family.ts';

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

/** Lays the case before every family; a family that breaks is left out and logged, never the end of the diagnosis. */
export async function diagnose(c: CaseFile, families: readonly FailureFamily[], logger: Logger): Promise<Verdict> {
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
  const best = all[0] ?? unexplained;
  return { best, chosen: choose(all, c.attempts), all: all.length === 0 ? [unexplained] : all };
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
