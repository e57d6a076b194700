import type { CaseFile, Diagnosis, FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, isRuntime, saidBy } from './answer.ts';
import { isExplainedElsewhere } from './config-corrupt.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { driftPath, isConfigOfCommand, isInCommand, isInPackages, isNamedIn, isOwn, mayBeData, shownPath } from './places.ts';
import { careFor, restoring, wasTried } from './restore.ts';

/**
 * Nothing explains the failure, but something changed since the last good boot. One file at a time is put back, the most
 * suspicious first, and only while the output points to nothing outside of the files.
 */
export const driftSuspect: FailureFamily = {
  name: 'drift_suspect',
  title: 'something changed since the last good boot',
  async diagnose(c) {
    if (isRuntime(c) || !AT_BOOT.has(c.failure.symptom)) return [];
    const directories = new Set((await c.lastGood.entries(c.component.name)).filter((e) => e.kind === 'directory').map((e) => e.path));
    const said = saidBy(c);
    const isElsewhere = isExplainedElsewhere(c);
    const candidates: { readonly confidence: number; readonly suspicion: number; readonly answer: Diagnosis }[] = [];
    for (const drift of c.drift) {
      const path = driftPath(c.component, drift);
      if (
        path === null ||
        !drift.canRestore ||
        (drift.kind !== 'changed' && drift.kind !== 'missing') ||
        isInPackages(path) ||
        !isOwn(c.component, path)
      )
        continue;
      const isNamed = isInCommand(c.component, path) || c.component.envFiles.includes(path) || isNamedIn(said, c.component, path);
      const inStack = c.failure.frames.some((f) => f.path === path);
      if (
        !drift.isBroken &&
        (isElsewhere || !(isNamed || inStack) || (drift.kind === 'changed' && mayBeData(path) && !isConfigOfCommand(c.component, path)))
      )
        continue;
      if (drift.kind === 'missing' && directories.has(path)) continue;
      const remedy = restoring(c, path, careFor(path, drift));
      if (wasTried(c, remedy)) continue;
      const confidence = (drift.isBroken ? 0.6 : inStack ? 0.45 : isNamed ? 0.4 : 0.3) - (isElsewhere ? 0.25 : 0);
      candidates.push({
        confidence,
        suspicion: drift.suspicion,
        answer: diagnosis('drift_suspect', {
          cause: `nothing else explains it, and ${shownPath(c.component, path)} ${drift.kind === 'missing' ? 'is gone' : 'changed'} since the last good boot`,
          confidence,
          evidence: [drift.message, c.failure.headline],
          remedy,
          advice: [`look at the last change of ${shownPath(c.component, path)}`],
        }),
      });
    }
    const best = candidates.toSorted((a, b) => b.confidence - a.confidence || b.suspicion - a.suspicion)[0];
    return best === undefined ? [] : [best.answer];
  },
  guard: (g) => guardOfSteps('drift_suspect', g),
};

const AT_BOOT: ReadonlySet<CaseFile['failure']['symptom']> = new Set(['exit', 'not_ready', 'smoke', 'crash_loop', 'check', 'spawn']);
