import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import { CAREFUL, diagnosis, GUESS, isRuntime, LIKELY, remedy, saidBy, step } from './answer.ts';
import { isExplainedElsewhere } from './config-corrupt.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { listensElsewhere, movedPort } from './listens-elsewhere.ts';
import { driftPath, isCode, isConfigOfCommand, isInCommand, isInPackages, isNamedIn, isOwn, mayBeData, shownPath } from './places.ts';
import { careFor, restoring, wasTried } from './restore.ts';
import { beforeAndNow } from './before-and-now.ts';

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
      const isSettings = !mayBeData(path) || isConfigOfCommand(c.component, path);
      // A data file that the command names, and that lost most of what it held: by hand, since a crash would have torn it.
      const isShrunk = drift.kind === 'changed' && isInCommand(c.component, path) && (await isMuchSmaller(c, path));
      const isMoved = drift.kind === 'changed' && isSettings && (await movedPort(c, path));
      // Settings that nobody names may be included by others: a guess, taken back when it does not help.
      const isGuess = isSettings && drift.kind === 'changed' && !isCode(path) && !isInTests(shownPath(c.component, path));
      if (
        !drift.isBroken &&
        !isMoved &&
        (isElsewhere || !(isNamed || inStack || isGuess) || (drift.kind === 'changed' && !isSettings && !isShrunk))
      )
        continue;
      if (drift.kind === 'missing' && directories.has(path)) continue;
      const remedy = restoring(c, path, careFor(path, drift));
      if (wasTried(c, remedy)) continue;
      const confidence = isMoved ? LIKELY : (drift.isBroken ? 0.6 : inStack ? 0.45 : isNamed ? 0.4 : GUESS) - (isElsewhere ? 0.25 : 0);
      candidates.push({
        confidence,
        suspicion: drift.suspicion,
        answer: diagnosis('drift_suspect', {
          cause: isMoved
            ? `it listens on ${listensElsewhere(c).join(', ')} instead of ${String(c.component.port)}, as ${shownPath(c.component, path)} says since it was changed`
            : `nothing else explains it, and ${shownPath(c.component, path)} ${drift.kind === 'missing' ? 'is gone' : 'changed'} since the last good boot`,
          confidence,
          evidence: [drift.message, c.failure.headline],
          remedy,
          advice: [`look at the last change of ${shownPath(c.component, path)}`],
        }),
      });
    }
    const isMute =
      !isElsewhere &&
      factsOf(c, 'exception', 'config_invalid', 'syntax_error', 'data_corrupt').length === 0 &&
      (c.failure.symptom === 'smoke' || c.failure.symptom === 'not_ready');
    const gone = isMute ? await filesGone(c) : null;
    if (gone !== null) candidates.push({ confidence: gone.confidence, suspicion: 0, answer: gone });
    const best = candidates.toSorted((a, b) => b.confidence - a.confidence || b.suspicion - a.suspicion)[0];
    return best === undefined ? [] : [best.answer];
  },
  guard: (g) => guardOfSteps('drift_suspect', g),
};

const SHRUNK_SHARE = 0.6;

/** JSON that lost at least one of its collections, and with it much of its size. */
async function isMuchSmaller(c: CaseFile, path: string): Promise<boolean> {
  if (c.failure.symptom !== 'smoke' && c.failure.symptom !== 'not_ready') return false;
  const versions = await beforeAndNow(c, path);
  if (versions === null || versions.now.length > versions.before.length * SHRUNK_SHARE) return false;
  const left = keysOf(versions.now);
  return keysOf(versions.before).some((key) => !left.includes(key));
}

function keysOf(text: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? Object.keys(value) : [];
  } catch {
    return [];
  }
}

/** More than this is not an accident that a few copies mend. */
const GONE_MAX = 40;

/**
 * Files that nobody names and that may be data are gone. Users and services delete things on purpose, so they are brought
 * back only when it is up and does not work, says nothing about it, and all of them can come back at once.
 */
async function filesGone(c: CaseFile): Promise<Diagnosis | null> {
  const gone = c.drift.flatMap((drift) => {
    const path = drift.kind === 'missing' ? driftPath(c.component, drift) : null;
    return path === null || isInPackages(path) || !isOwn(c.component, path) || PASSING.test(`/${shownPath(c.component, path)}`)
      ? []
      : [{ path, drift }];
  });
  const files: typeof gone = [];
  for (const one of gone) if ((await c.lastGood.entry(c.component.name, one.path))?.kind === 'file') files.push(one);
  if (files.length === 0 || files.length > GONE_MAX || files.some(({ drift }) => !drift.canRestore)) return null;
  const shown = files.map(({ path }) => shownPath(c.component, path));
  const steps = files.map(({ path }, i) => step(`put ${shown[i] ?? path} back as it was at the last good boot`, 'restore_file', { path }));
  const name = `put back what is gone: ${shown.slice(0, 3).join(', ')}${shown.length > 3 ? ` and ${shown.length - 3} more` : ''}`;
  const wanted = remedy('restore_what_is_gone', name, CAREFUL, steps);
  if (wasTried(c, wanted)) return null;
  return diagnosis('drift_suspect', {
    cause: `nothing else explains it, and ${shown.slice(0, 3).join(', ')}${shown.length > 3 ? ` and ${shown.length - 3} more files are` : shown.length > 1 ? ' are' : ' is'} gone since the last good boot`,
    confidence: GUESS - 0.05,
    evidence: [...files.slice(0, 5).map(({ drift }) => drift.message), c.failure.headline],
    remedy: wanted,
    advice: ['find out what removed them'],
  });
}

const PASSING = /\.(?:log|pid|sock|lock|tmp|out)$|\/(?:logs?|tmp|temp|cache|run|sessions?|mails?|spool|queue)\//i;

/** What belongs to tests and documentation has no say in how it runs. */
function isInTests(path: string): boolean {
  return /(?:^|\/)(?:tests?|spec|docs?|examples?)\//.test(path);
}

const AT_BOOT: ReadonlySet<CaseFile['failure']['symptom']> = new Set(['exit', 'not_ready', 'smoke', 'crash_loop', 'check', 'spawn']);
