import { factsOf, type FailureFamily, type Remedy } from '../../domains/learning/index.ts';
import { DELICATE, diagnosis, LIKELY, PLAUSIBLE } from './answer.ts';
import { loaderPlaybook } from './catalog-loader.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { driftPath, isInPackages, isOwn, shownPath } from './places.ts';
import { endsWithModule } from './package-missing.ts';
import { restoring } from './restore.ts';

/** The loader of a catalog has a playbook of its own. */
const named = (remedy: Remedy, playbook: string | null): Remedy => (playbook === null ? remedy : { ...remedy, playbook });

/** Modules import each other before they are complete, or one lacks a name it used to have. Code: a person agrees first. */
export const circularImport: FailureFamily = {
  name: 'circular_import',
  title: 'modules import each other in a circle',
  diagnose(c) {
    const facts = factsOf(c, 'circular_import', 'export_missing').filter((f) => !isInPackages(f.subject));
    return Promise.resolve(
      facts.slice(0, 2).map((fact) => {
        const names = [fact.subject, String(fact.details['module'] ?? ''), String(fact.details['path'] ?? '')].filter((n) => n !== '');
        const changed = c.drift.find(
          (d) =>
            d.kind === 'changed' &&
            d.canRestore &&
            names.some(
              (name) => d.subject.endsWith(name) || endsWithModule(d.subject, name) || endsWithModule(d.subject, name.replaceAll('.', '/')),
            ),
        );
        const path = changed === undefined ? null : driftPath(c.component, changed);
        const what =
          fact.kind === 'circular_import'
            ? `modules import each other in a circle, through ${fact.subject || 'a module'}`
            : `${String(fact.details['module'] ?? '') || 'a module'} does not offer ${fact.subject}`;
        return diagnosis('circular_import', {
          cause: path === null ? what : `${what}; ${shownPath(c.component, path)} changed since the last good boot`,
          confidence: path === null ? PLAUSIBLE : LIKELY,
          evidence: [fact.line, changed?.message ?? '', ...c.drift.filter((d) => d.kind === 'git').map((d) => d.message)],
          remedy: path !== null && isOwn(c.component, path) ? named(restoring(c, path, DELICATE), loaderPlaybook(...names)) : null,
          advice: ['move what both need into a module of its own', 'or import it where it is used'],
        });
      }),
    );
  },
  guard: (g) => guardOfSteps('circular_import', g),
};
