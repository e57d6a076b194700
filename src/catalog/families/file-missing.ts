import { factsOf, type CaseFile, type Diagnosis, type FailureFamily, type Remedy } from '../../domains/learning/index.ts';
import type { LastGoodEntry } from '../../domains/playbooks/index.ts';
import { CAREFUL, diagnosis, failsToWork, LIKELY, PLAUSIBLE, remedy, saidBy, step, SURE, WORDS_ONLY } from './answer.ts';
import { isExplainedElsewhere } from './config-corrupt.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { entriesToRestore, missingPartOf, type MissingPart } from './missing-part.ts';
import {
  absolutePath,
  basename,
  dirname,
  driftPath,
  isCode,
  isInCommand,
  isInPackages,
  isNamedIn,
  isOwn,
  isToBeWritten,
  looksLikeDirectory,
  mayBeData,
  shownPath,
  slugOf,
} from './places.ts';
import { restoring } from './restore.ts';

/** A file or a link that the service needs is gone. Directories have their own family. */
export const fileMissing: FailureFamily = {
  name: 'file_missing',
  title: 'a file is missing',
  async diagnose(c) {
    const found = new Map<string, Diagnosis>();
    for (const fact of factsOf(c, 'path_missing', 'certificate_problem')) {
      const path = absolutePath(c.component, fact.subject);
      if (
        path === null ||
        isInPackages(path) ||
        (fact.kind === 'certificate_problem' && !fact.subject.includes('/') && !fact.subject.includes('.'))
      )
        continue;
      const part = await missingPartOf(c, path);
      if (part === null || found.has(part.path)) continue;
      const answer = await diagnoseNamed(c, path, part, fact.line);
      if (answer !== null) found.set(part.path, answer);
    }
    for (const drift of failsToWork(c) ? c.drift : []) {
      const path = driftPath(c.component, drift);
      if (
        path === null ||
        drift.kind !== 'missing' ||
        !drift.canRestore ||
        found.has(path) ||
        isInPackages(path) ||
        !isOwn(c.component, path)
      )
        continue;
      const entry = await c.lastGood.entry(c.component.name, path);
      if (entry?.kind === 'directory') continue;
      const isNamed = isInCommand(c.component, path) || isNamedIn(saidBy(c), c.component, path);
      // Files that nobody asks for come and go: mails, sessions, rotated logs.
      if (!isNamed && (found.size > 0 || (mayBeData(path) && !c.component.envFiles.includes(path)))) continue;
      // Of a directory that is gone all comes back: with one of its files the service would start without the others.
      const part = await missingPartOf(c, path);
      const entries = part === null || part.isLeaf ? [] : await entriesToRestore(c, path, part);
      const whole = part !== null && entries.length > 1 ? part.path : path;
      if (found.has(whole)) continue;
      found.set(
        whole,
        diagnosis('file_missing', {
          cause: `${shownPath(c.component, whole)} is missing; it was there at the last good boot`,
          confidence: isNamed ? LIKELY : isExplainedElsewhere(c) ? 0.4 : PLAUSIBLE,
          evidence: [drift.message],
          remedy: whole === path ? restoring(c, path) : restoringAll(c, whole, entries),
          advice: [`put ${shownPath(c.component, path)} back`],
          waitFor: { kind: 'file_change', path },
        }),
      );
    }
    const [unnamed] = factsOf(c, 'path_missing').filter((f) => f.subject === '');
    if (found.size === 0 && unnamed !== undefined)
      found.set(
        '',
        diagnosis('file_missing', {
          cause: `a file or directory is missing that the message does not name: ${unnamed.line}`,
          confidence: 0.5,
          evidence: [unnamed.line],
          advice: ['look into its configuration for the path'],
        }),
      );
    return [...found.values()];
  },
  guard: (g) => guardOfSteps('file_missing', g),
};

async function diagnoseNamed(c: CaseFile, path: string, part: MissingPart, line: string): Promise<Diagnosis | null> {
  const shown = shownPath(c.component, path);
  const waitFor = { kind: 'file_change', path } as const;
  if (!isOwn(c.component, part.path))
    return diagnosis('file_missing', {
      cause: `${shown} is missing; it lies outside of what belongs to ${c.component.name}`,
      confidence: WORDS_ONLY,
      evidence: [line],
      advice: [`put ${shown} back, or correct the setting that names it`],
      waitFor,
    });
  const entries = await entriesToRestore(c, path, part);
  if (entries.length > 0) {
    const what = part.isDangling ? `the link ${shownPath(c.component, part.path)} leads to nothing` : `${shown} is missing`;
    return diagnosis('file_missing', {
      cause: `${what}; it was there at the last good boot`,
      confidence: SURE,
      evidence: [line],
      remedy: restoringAll(c, part.path, entries),
      advice: [`put ${shown} back`],
      waitFor,
    });
  }
  // A directory that is gone, or a file that is about to be created in one, is for directory_missing.
  if (part.entry?.kind === 'directory' || (part.isLeaf ? looksLikeDirectory(path) : isToBeWritten(path, part.path))) return null;
  const example = await exampleBeside(c, path);
  const isUsable =
    example !== null && !part.isDangling && !isCode(path) && isPlain((await c.files.readText(example, EXAMPLE_BYTES_MAX)) ?? '');
  const name = `copy ${shownPath(c.component, example ?? '')} to ${shown}`;
  return diagnosis('file_missing', {
    cause: part.isDangling ? `the link ${shown} leads to nothing` : `${shown} is missing, and no earlier good boot had it`,
    confidence: isUsable ? PLAUSIBLE : WORDS_ONLY,
    evidence: [line],
    remedy: isUsable
      ? remedy(`create_${slugOf(c.component, path)}_from_example`, name, CAREFUL, [step(name, 'restore_file', { path, from: example })])
      : null,
    advice: [example === null ? `create ${shown}, or correct the setting that names it` : `${name} and look through it`],
    waitFor,
  });
}

const EXAMPLE_BYTES_MAX = 256 * 1024;

/** Nothing in it waits for a person: no secret, and nothing that only shows where the real value goes. */
function isPlain(text: string): boolean {
  return (
    text !== '' &&
    !/(?:secret|passw(?:or)?d|passphrase|token|api[-_]?key|private[-_]?key|credential)["']?\s{0,4}[:=]\s{0,4}[^\s,;]/i.test(text) &&
    !/change[-_ ]?me|replace[-_ ]?(?:me|this|with)|your[-_ ][a-z]|<[a-z][\w -]{0,40}>|\bTODO\b|example\.(?:com|org)/i.test(text)
  );
}

function restoringAll(c: CaseFile, path: string, entries: readonly LastGoodEntry[]): Remedy {
  const back = (at: string): string => `put ${shownPath(c.component, at)} back as it was at the last good boot`;
  const steps = entries.map((e) => step(back(e.path), 'restore_file', { path: e.path }));
  return remedy(`restore_${slugOf(c.component, path)}`, back(path), CAREFUL, steps);
}

async function exampleBeside(c: CaseFile, path: string): Promise<string | null> {
  const name = basename(path);
  const dotted = /^(.*)(\.[^.]+)$/.exec(name);
  const names = ['example', 'sample', 'dist', 'template'].flatMap((word) => [
    `${name}.${word}`,
    ...(dotted ? [`${dotted[1] ?? ''}.${word}${dotted[2] ?? ''}`] : []),
  ]);
  for (const candidate of names)
    if ((await c.files.stat(`${dirname(path)}/${candidate}`))?.kind === 'file') return `${dirname(path)}/${candidate}`;
  return null;
}
