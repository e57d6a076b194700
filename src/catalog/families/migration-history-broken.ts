import { basename, dirname } from 'node:path';
import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { CAREFUL, diagnosis, LIKELY, remedy, step, SURE, text } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { driftPath, isOwn, shownPath, slugOf } from './places.ts';

const FOLDER = /^(?:versions|migrations|migrate|alembic)$/;
/** More than this is a deployment that went wrong. */
const FILES_MAX = 20;

/**
 * The chain of migrations does not hold together: one is gone, two follow the same one, or they were applied in another
 * order. Files come back; the history itself is never rewound or rewritten.
 */
export const migrationHistoryBroken: FailureFamily = {
  name: 'migration_history_broken',
  title: 'the chain of migrations is broken',
  async diagnose(c) {
    const [fact] = factsOf(c, 'migration_failed').filter((f) => text(f, 'reason') !== '');
    if (fact === undefined) return [];
    switch (text(fact, 'reason')) {
      case 'missing':
        return [await missing(c, fact)];
      case 'branches':
        return [branches(c, fact)];
      default:
        return [
          diagnosis('migration_history_broken', {
            cause: `${fact.subject} is recorded as applied before ${text(fact, 'dependency') || 'one that it needs'}`,
            confidence: LIKELY,
            evidence: [fact.line],
            advice: [
              'compare the recorded migrations with the schema: one may have been removed from the history by hand, or its dependency was added later',
              'record what is applied already; never start the history anew on a database with data',
            ],
          }),
        ];
    }
  },
  guard: (g) => guardOfSteps('migration_history_broken', g),
};

async function missing(c: CaseFile, fact: Fact): Promise<Diagnosis> {
  const paths = await missingMigrations(c, fact.subject);
  const shown = paths.map((path) => shownPath(c.component, path)).join(', ');
  return diagnosis('migration_history_broken', {
    cause:
      paths.length > 0
        ? `the migration ${fact.subject} is not in the code any more: ${shown} was there at the last good boot`
        : `the database knows the migration ${fact.subject}, and the code does not have it`,
    confidence: paths.length > 0 ? SURE : LIKELY,
    evidence: [fact.line],
    remedy:
      paths.length > 0
        ? remedy(
            `restore_${slugOf(c.component, paths[0] ?? '')}`,
            `put ${shown} back as at the last good boot`,
            CAREFUL,
            paths.map((path) => step(`put ${shownPath(c.component, path)} back as it was at the last good boot`, 'restore_file', { path })),
          )
        : null,
    advice: [
      'deploy the code that has this migration: the database was migrated by a newer release, or by another branch',
      'going back needs the downgrade of that release, run from its own code',
    ],
  });
}

/** What is gone from the folder of migrations, when the one that is asked for is among it. */
async function missingMigrations(c: CaseFile, revision: string): Promise<readonly string[]> {
  const gone: string[] = [];
  let isNamed = false;
  const name = revision.slice(revision.lastIndexOf('.') + 1);
  for (const drift of c.drift) {
    const path = drift.kind === 'missing' && drift.canRestore ? driftPath(c.component, drift) : null;
    if (path === null || !FOLDER.test(basename(dirname(path))) || !isOwn(c.component, path)) continue;
    const entry = await c.lastGood.entry(c.component.name, path);
    if (entry?.kind !== 'file' || !entry.hasContent) continue;
    gone.push(path);
    const content = await c.lastGood.content(entry);
    if (basename(path).includes(name) || (content !== null && new TextDecoder().decode(content).includes(name))) isNamed = true;
  }
  return isNamed && gone.length <= FILES_MAX ? gone : [];
}

function branches(c: CaseFile, fact: Fact): Diagnosis {
  const merge =
    text(fact, 'tool') === 'django'
      ? 'python manage.py makemigrations --merge'
      : text(fact, 'tool') === 'alembic'
        ? 'alembic merge heads'
        : null;
  const nodes = text(fact, 'nodes');
  return diagnosis('migration_history_broken', {
    cause: `two migrations follow the same one${nodes === '' ? '' : `: ${nodes}`}; they come from branches that were merged without them`,
    confidence: LIKELY,
    evidence: [fact.line],
    advice: [
      merge === null ? 'give one of them a later number' : `run ${merge} where the code is written, look through it, and deploy it`,
      `until then ${c.component.name} can only run with a database that is up to date`,
    ],
  });
}
