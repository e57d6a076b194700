import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { basename } from 'node:path';
import { absolutePath, isOwn, shownPath } from './places.ts';
import { diagnosis, KNOWN, linesOf } from './answer.ts';

/** A file of the service is called like a package, and is found first. To rename it is for a person: others may import it. */
export const moduleShadowed: FailureFamily = {
  name: 'module_shadowed',
  title: 'a file hides a package of the same name',
  async diagnose(c) {
    const facts = factsOf(c, 'module_shadowed');
    const [fact] = facts;
    const path = fact === undefined ? null : absolutePath(c.component, fact.subject);
    if (fact === undefined || path === null) return [];
    const shown = isOwn(c.component, path) ? shownPath(c.component, path) : path;
    const name = basename(path, '.py');
    const isKnown = (await c.lastGood.entry(c.component.name, path)) !== null;
    const hasHistory = (await c.lastGood.entries(c.component.name)).length > 0;
    return [
      diagnosis('module_shadowed', {
        cause: `${shown} is called like the package ${name} and hides it${hasHistory && !isKnown ? '; it was not there at the last good boot' : ''}`,
        // Surer than that two modules import each other: the file imports its own name.
        confidence: KNOWN,
        evidence: linesOf(facts),
        advice: [`rename ${shown}, and what imports it`, `remove what is left of it: __pycache__/${name}.*.pyc`],
        waitFor: { kind: 'file_change', path },
      }),
    ];
  },
  guard: null,
};
