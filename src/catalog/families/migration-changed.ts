import { factsOf, type CaseFile, type FailureFamily, type GuardCase } from '../../domains/learning/index.ts';
import type { Finding } from '../../domains/preflight/index.ts';
import { CAREFUL, diagnosis, LIKELY, linesOf, PLAUSIBLE, remedy, step } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { absolutePath, basename, driftAt, driftPath, isOwn, shownPath, slugOf } from './places.ts';

/**
 * A migration that was applied long ago is not the same file any more. The file goes back; the history of the database
 * never does.
 */
export const migrationChanged: FailureFamily = {
  name: 'migration_changed',
  title: 'an applied migration was edited',
  diagnose(c) {
    const facts = factsOf(c, 'migration_changed');
    if (facts.length === 0) return Promise.resolve([]);
    const names = facts.map((f) => f.subject).filter((s) => s !== '');
    const paths = names.flatMap((name) => filesOf(c, name));
    const shown = paths.map((path) => shownPath(c.component, path));
    const isWhole = names.length > 0 && names.every((name) => filesOf(c, name).length === 1);
    return Promise.resolve([
      diagnosis('migration_changed', {
        cause: `the migration ${names.join(', ')} was edited after it was applied${shown.length === 0 ? '' : `: ${shown.join(', ')} changed since the last good boot`}`,
        confidence: isWhole ? LIKELY : PLAUSIBLE,
        evidence: [...linesOf(facts), ...c.drift.filter((d) => paths.includes(driftPath(c.component, d) ?? '')).map((d) => d.message)],
        remedy: isWhole
          ? remedy(
              `restore_${slugOf(c.component, paths[0] ?? '')}`,
              `put ${shown.join(', ')} back as applied`,
              CAREFUL,
              paths.map((path) => step(`put ${shownPath(c.component, path)} back as it was applied`, 'restore_file', { path })),
            )
          : null,
        advice: [
          'put the file back as it was applied, and write what is new into a migration of its own',
          'do not repair the history: the database would say that it has what it never got',
        ],
      }),
    ]);
  },
  guard: async (g) => (await guardOfSteps('migration_changed', g)) ?? editedAgain(g),
};

/** Other files may be edited; one that was applied may not, however well it reads. */
function editedAgain(g: GuardCase): Finding | null {
  const paths = g.steps.flatMap(({ params: { path } }) => (typeof path === 'string' ? [absolutePath(g.component, path)] : []));
  const edited = paths.find((path) => path !== null && driftAt(g, path, 'changed') !== null);
  if (!edited) return null;
  const shown = shownPath(g.component, edited);
  return {
    severity: 'error',
    code: 'migration_changed',
    component: g.component.name,
    message: `${shown} was edited again, and it is applied already`,
    evidence: [`seen before: ${g.playbook} has fixed it`],
    hint: 'write what is new into a migration of its own',
    fix: { playbook: g.playbook, params: g.params },
  };
}

/** `V3__orders.sql` for version 3; the file itself where the message names it. Changed ones that can be put back. */
function filesOf(c: CaseFile, migration: string): readonly string[] {
  const wanted = basename(migration).toLowerCase();
  return c.drift.flatMap((drift) => {
    const path = driftPath(c.component, drift);
    if (path === null || (drift.kind !== 'changed' && drift.kind !== 'missing') || !drift.canRestore || !isOwn(c.component, path))
      return [];
    const name = basename(path).toLowerCase();
    const version = /^[vur]([\d._]+?)__/.exec(name)?.[1]?.replaceAll('_', '.');
    const isIt = name === wanted || name.startsWith(`${wanted}.`) || version === wanted.replaceAll('_', '.');
    return isIt ? [path] : [];
  });
}
