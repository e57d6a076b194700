import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, HARMLESS, LIKELY, remedy, step, SURE, WORDS_ONLY } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { absolutePath, isOwn, shownPath, slugOf } from './places.ts';

/** A socket file that a dead process has left keeps the next one from listening there. Moved aside, never deleted. */
export const staleSocket: FailureFamily = {
  name: 'stale_socket',
  title: 'a socket file was left over',
  async diagnose(c) {
    const found = new Map<string, Diagnosis>();
    for (const fact of factsOf(c, 'lock_held')) {
      const path = absolutePath(c.component, fact.subject);
      if (path === null || found.has(path) || (await c.files.stat(path))?.kind !== 'socket') continue;
      found.set(path, await diagnoseSocket(c, path, fact.line));
    }
    return [...found.values()];
  },
  guard: (g) => guardOfSteps('stale_socket', g),
};

async function diagnoseSocket(c: CaseFile, path: string, line: string): Promise<Diagnosis> {
  const shown = shownPath(c.component, path);
  const answers = await c.host.socketAnswers(path);
  if (answers !== false || !isOwn(c.component, path))
    return diagnosis('stale_socket', {
      cause:
        answers === true
          ? `another process listens at the socket ${shown}`
          : `the socket ${shown} is there, and nobody can tell whether somebody listens`,
      confidence: answers === true ? LIKELY : WORDS_ONLY,
      evidence: [line],
      advice: [`see who has it open: ss -xlp | grep ${shown}`, 'stop that process where it was started, if it does not belong there'],
      waitFor: { kind: 'file_change', path },
    });
  const name = `move the socket ${shown} aside`;
  return diagnosis('stale_socket', {
    cause: `the socket ${shown} was left over: nobody listens there any more`,
    confidence: SURE,
    evidence: [line, `${shown} refuses connections`],
    remedy: remedy(`remove_stale_${slugOf(c.component, path)}`, `${name}, so that ${c.component.name} can listen there`, HARMLESS, [
      step(name, 'remove_stale_socket', { path }),
    ]),
    advice: [`remove ${shown} once you are sure that nobody listens there`],
  });
}
