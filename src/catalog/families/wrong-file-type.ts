import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, PERHAPS, SURE } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { canBringBack } from './missing-part.ts';
import { absolutePath, isInPackages, isOwn, shownPath } from './places.ts';
import { restoring } from './restore.ts';

/** A directory where a file should be (a container mount makes one), or a file where a directory should be. */
export const wrongFileType: FailureFamily = {
  name: 'wrong_file_type',
  title: 'a directory lies where a file should be, or the other way round',
  async diagnose(c) {
    const found: Diagnosis[] = [];
    for (const fact of factsOf(c, 'is_a_directory', 'not_a_directory')) {
      const path = absolutePath(c.component, fact.subject);
      if (path === null || isInPackages(path)) continue;
      found.push(await diagnosePath(c, path, fact.kind === 'is_a_directory', fact.line));
    }
    return found;
  },
  guard: (g) => guardOfSteps('wrong_file_type', g),
};

async function diagnosePath(c: CaseFile, path: string, isDirectory: boolean, line: string): Promise<Diagnosis> {
  const shown = shownPath(c.component, path);
  const entry = await c.lastGood.entry(c.component.name, path);
  if (isDirectory && isOwn(c.component, path) && entry?.kind === 'file' && canBringBack(entry))
    return diagnosis('wrong_file_type', {
      cause: `${shown} is a directory; at the last good boot it was a file`,
      confidence: SURE,
      evidence: [line],
      remedy: restoring(c, path),
      advice: [`move ${shown} aside and put the file back; a volume that is mounted before its file exists makes a directory`],
    });
  const before = entry === null ? '' : `; at the last good boot it was a ${entry.kind}`;
  return diagnosis('wrong_file_type', {
    cause: isDirectory
      ? `${shown} is a directory, a file is wanted there${before}`
      : `a part of ${shown} is a file, a directory is wanted there${before}`,
    confidence: PERHAPS,
    evidence: [line],
    advice: [`move ${shown} aside and put the right thing there; a volume that is mounted before its file exists makes a directory`],
  });
}
