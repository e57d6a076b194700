import { factsOf, type CaseFile, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, isRuntime, LIKELY, PERHAPS, PLAUSIBLE, text } from './answer.ts';
import { changedCode, hasSuspects, saysNewly } from './changed-code.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { isCode, shownPath } from './places.ts';
import { restoring } from './restore.ts';

/** The command line, NODE_OPTIONS, or a script of package.json has an option that the program does not know. */
export const unknownOption: FailureFamily = {
  name: 'unknown_option',
  title: 'the command has an option that its program does not know',
  async diagnose(c) {
    const [fact] = factsOf(c, 'unknown_option');
    if (fact === undefined) return [];
    const where = text(fact, 'isInEnvironment') === 'true' ? 'NODE_OPTIONS' : 'the start command';
    const program = text(fact, 'program') || 'the program';
    const cause = `${where} has the option ${fact.subject}, which ${program} does not know`;
    const drift = c.drift.filter((d) => d.kind === 'command' || d.kind === 'runtime').map((d) => d.message);
    const evidence = [fact.line, ...drift];
    const path = await fileThatSays(c, fact.subject);
    if (path !== null)
      return [
        diagnosis('unknown_option', {
          cause: `${cause}; ${shownPath(c.component, path)} has it since the last good boot`,
          confidence: LIKELY,
          evidence,
          remedy: restoring(c, path),
          advice: [`take ${fact.subject} out of ${shownPath(c.component, path)}`],
        }),
      ];
    return [
      diagnosis('unknown_option', {
        cause,
        // A tool that the service runs beside its work may say it too.
        confidence: isRuntime(c) || hasSuspects(c) ? PERHAPS : c.failure.facts.length === 1 ? LIKELY : PLAUSIBLE,
        evidence,
        advice: [`correct or take out ${fact.subject}`, ...drift.map((message) => `look at what changed: ${message}`)],
      }),
    ];
  },
  guard: (g) => guardOfSteps('unknown_option', g),
};

/** The configuration that has the option now and had it not at the last good boot: package.json, a Procfile, a script. */
async function fileThatSays(c: CaseFile, option: string): Promise<string | null> {
  for (const { path } of changedCode(c)) if (!isCode(path) && (await saysNewly(c, path, option))) return path;
  return null;
}
