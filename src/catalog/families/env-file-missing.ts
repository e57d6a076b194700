import { basename } from 'node:path';
import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import { CAREFUL, diagnosis, failsToWork, HARMLESS, LIKELY, linesOf, PERHAPS, PLAUSIBLE, remedy, step, SURE } from './answer.ts';
import { envFilesOf, exampleOf, isPlaceholder, keysInFile } from './env-text.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { canBringBack } from './missing-part.ts';
import { absolutePath, driftAt, isOwn, shownPath, slugOf } from './places.ts';

/** The env file is gone. Its last good copy has the real values, so it comes before the example. */
export const envFileMissing: FailureFamily = {
  name: 'env_file_missing',
  title: 'the env file is missing',
  async diagnose(c) {
    const found: Diagnosis[] = [];
    for (const file of envFilesOf(c.component)) {
      if (!isOwn(c.component, file) || (await c.files.stat(file)) !== null) continue;
      const answer = await diagnoseFile(c, file);
      if (answer !== null) found.push(answer);
    }
    return found;
  },
  guard: (g) => guardOfSteps('env_file_missing', g),
};

async function diagnoseFile(c: CaseFile, file: string): Promise<Diagnosis | null> {
  const shown = shownPath(c.component, file);
  const naming = factsOf(c, 'path_missing').filter((f) => absolutePath(c.component, f.subject) === file || f.line.includes(basename(file)));
  const wanting = factsOf(c, 'env_missing').filter((f) => !c.env[f.subject]);
  if (naming.length + wanting.length === 0 && !failsToWork(c)) return null;
  const evidence = [`${shown} does not exist`, ...linesOf([...naming, ...wanting])];
  if (canBringBack(await c.lastGood.entry(c.component.name, file)))
    return diagnosis('env_file_missing', {
      cause: `the env file ${shown} is missing; it was there at the last good boot`,
      confidence: naming.length + wanting.length > 0 ? SURE : LIKELY,
      evidence: [...evidence, driftAt(c, file, 'missing')?.message ?? ''],
      remedy: remedy(`restore_${slugOf(c.component, file)}`, `put ${shown} back as it was at the last good boot`, CAREFUL, [
        step(`put ${shown} back as it was at the last good boot`, 'restore_file', { path: file }),
      ]),
      advice: [`restore ${shown} from your secret store or a backup`],
    });
  const example = await exampleOf(c.files, file);
  const isDeclared = c.component.envFiles.length > 0 || c.component.command.some((word) => word.includes('--env-file'));
  if (example === null)
    return naming.length > 0
      ? diagnosis('env_file_missing', {
          cause: `the env file ${shown} is missing, and there is no example or copy of it`,
          confidence: PERHAPS,
          evidence,
          advice: [`write ${shown}`],
          waitFor: { kind: 'file_change', path: file },
        })
      : null;
  if (naming.length + wanting.length === 0 && !isDeclared) return null;
  const empty = (await keysInFile(c.files, example))
    .filter((k) => isPlaceholder(k.value) && !k.mayGenerate && !c.env[k.key])
    .map((k) => k.key);
  const hasNeed = empty.some((key) => wanting.some((f) => f.subject === key) || c.component.requiredEnv.includes(key));
  const advice = [`copy ${shownPath(c.component, example)} to ${shown}${empty.length > 0 ? ` and fill in ${empty.join(', ')}` : ''}`];
  const cause = `the env file ${shown} is missing; ${shownPath(c.component, example)} lies beside it`;
  if (hasNeed)
    return diagnosis('env_file_missing', {
      cause: `${cause}, but it leaves ${empty.join(', ')} for a person to fill in`,
      confidence: SURE,
      evidence,
      advice,
      waitFor: { kind: 'file_change', path: file },
    });
  return diagnosis('env_file_missing', {
    cause,
    confidence: naming.length + wanting.length > 0 ? SURE : PLAUSIBLE,
    evidence,
    remedy: remedy('create_default_env', `create ${shown} from its example; secrets that it marks for it are generated`, HARMLESS, [
      step(`create ${shown} from ${basename(example)}`, 'create_env_file', { file, example }),
    ]),
    advice,
  });
}
