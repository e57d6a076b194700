import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import type { RemedyStep } from '../../domains/playbooks/index.ts';
import { CAREFUL, diagnosis, LIKELY, PLAUSIBLE, remedy, step, SURE, text, WORDS_ONLY } from './answer.ts';
import { sqlitePathOf } from './database-file.ts';
import { findBelow } from './find-file.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { canBringBack } from './missing-part.ts';
import { absolutePath, basename, driftAt, driftPath, isInPackages, isOwn, shownPath, slugOf } from './places.ts';
import { restoring } from './restore.ts';

/** A data file is damaged. It is repaired or put back, and what is there now is always kept. */
export const dataCorrupt: FailureFamily = {
  name: 'data_corrupt',
  title: 'a data file is damaged',
  async diagnose(c) {
    const found = new Map<string, Diagnosis>();
    for (const fact of factsOf(c, 'data_corrupt')) {
      if (isInPackages(fact.subject)) continue;
      const answer = await diagnoseFact(c, fact);
      if (!found.has(answer.cause)) found.set(answer.cause, answer);
    }
    return [...found.values()];
  },
  guard: (g) => guardOfSteps('data_corrupt', g),
};

function diagnoseFact(c: CaseFile, fact: Fact): Promise<Diagnosis> {
  const engine = `${text(fact, 'engine')} ${fact.runtime}`.toLowerCase();
  if (engine.includes('redis') || /\baof\b|append.?only/i.test(fact.line)) return diagnoseRedis(c, fact);
  if (engine.includes('sqlite')) return diagnoseSqlite(c, fact);
  if (engine.includes('postgres') || engine.includes('mysql'))
    return Promise.resolve(
      forPeople(fact, `data of ${engine.split(' ')[0] ?? 'the database'} is damaged`, [
        'stop it, copy its data directory, and restore from a backup',
      ]),
    );
  return diagnoseFile(c, fact);
}

async function diagnoseRedis(c: CaseFile, fact: Fact): Promise<Diagnosis> {
  const isSnapshot = /\brdb/i.test(`${fact.subject} ${fact.code} ${text(fact, 'tool')}`) || fact.subject.endsWith('.rdb');
  if (isSnapshot)
    return fact.subject === ''
      ? forPeople(fact, 'the snapshot (RDB) of Redis is damaged', [
          'keep the file, look at it with redis-check-rdb, and restore it from a backup',
        ])
      : diagnoseFile(c, fact);
  const path = await appendOnlyFile(c, fact.subject);
  if (path === null)
    return forPeople(fact, 'the append-only file of Redis is damaged', ['copy the append-only file, then run redis-check-aof --fix on it']);
  const shown = shownPath(c.component, path);
  return diagnosis('data_corrupt', {
    cause: `the append-only file ${shown} of Redis is damaged`,
    confidence: SURE,
    evidence: [fact.line],
    remedy: remedy(`repair_${slugOf(c.component, path)}`, `keep a copy of ${shown} and cut off what Redis cannot read`, CAREFUL, [
      step(`repair ${shown}, a copy is kept`, 'repair_append_only_file', { path, tool: 'redis-check-aof' }),
    ]),
    advice: [`copy ${shown}, then run redis-check-aof --fix on it`],
  });
}

/** The file the message names; else the newest part of the only append-only log below the roots. */
async function appendOnlyFile(c: CaseFile, subject: string): Promise<string | null> {
  const named = absolutePath(c.component, subject);
  if (named !== null && isOwn(c.component, named) && (await c.files.stat(named))?.kind === 'file') return named;
  const name = named === null ? '' : basename(named);
  const all = await findBelow(
    c.files,
    c.component.roots,
    (path, kind) => kind === 'file' && (basename(path) === name || path.endsWith('.aof')),
    20,
  );
  const same = all.filter((path) => basename(path) === name);
  if (same.length > 0) return same.length === 1 ? (same[0] ?? null) : null;
  const parts = all.filter((path) => path.endsWith('.incr.aof'));
  const logs = new Set(all.map((path) => path.slice(0, path.lastIndexOf('/'))));
  if (logs.size !== 1) return null;
  const sequence = (path: string): number => Number(/\.(\d+)\.incr\.aof$/.exec(path)?.[1] ?? 0);
  return parts.toSorted((a, b) => sequence(b) - sequence(a))[0] ?? (all.length === 1 ? (all[0] ?? null) : null);
}

async function diagnoseSqlite(c: CaseFile, fact: Fact): Promise<Diagnosis> {
  const named = absolutePath(c.component, fact.subject);
  const path = named !== null && (await c.files.stat(named))?.kind === 'file' ? named : (sqlitePathOf(c) ?? (await onlyDatabase(c)));
  if (path === null || !isOwn(c.component, path) || (await c.files.stat(path))?.kind !== 'file')
    return forPeople(fact, 'the SQLite database is damaged', ['copy the file, then run .recover of the sqlite3 program on the copy']);
  const shown = shownPath(c.component, path);
  // "file is not a database": there is no page left to recover from, but there may be a copy.
  const isAnyDatabase = new TextDecoder().decode((await c.files.read(path, 15)) ?? new Uint8Array()) === 'SQLite format 3';
  if (!isAnyDatabase) {
    if (canBringBack(await c.lastGood.entry(c.component.name, path))) return putBack(c, path, fact, SURE, closing(c));
    return forPeople(fact, `${shown} is not a database any more`, [`keep ${shown} and restore it from a backup`]);
  }
  return diagnosis('data_corrupt', {
    cause: `the SQLite database ${shown} is damaged`,
    confidence: LIKELY,
    evidence: [fact.line],
    remedy: remedy(
      `recover_${slugOf(c.component, path)}`,
      `keep ${shown} as it is and build a new one from what can be read of it`,
      CAREFUL,
      [...closing(c), step(`recover ${shown}, the damaged file is kept`, 'recover_sqlite', { path })],
    ),
    advice: [`copy ${shown}, then run .recover of the sqlite3 program on the copy`],
  });
}

async function onlyDatabase(c: CaseFile): Promise<string | null> {
  const all = await findBelow(c.files, c.component.roots, (path, kind) => kind === 'file' && /\.(?:db|sqlite3?|db3)$/i.test(path), 3);
  return all.length === 1 ? (all[0] ?? null) : null;
}

/** A data file that is text: JSON, a dump, a table. */
async function diagnoseFile(c: CaseFile, fact: Fact): Promise<Diagnosis> {
  const named = absolutePath(c.component, fact.subject);
  if (named !== null && (fact.subject.includes('/') || (await c.files.stat(named)) !== null)) {
    if (isOwn(c.component, named) && canBringBack(await c.lastGood.entry(c.component.name, named))) {
      const drift = driftAt(c, named, 'changed', 'missing');
      return putBack(c, named, fact, drift?.isBroken || drift?.kind === 'missing' ? SURE : drift !== null ? LIKELY : WORDS_ONLY);
    }
    return forPeople(fact, `${shownPath(c.component, named)} is damaged`, [
      `keep ${shownPath(c.component, named)} and restore it from a backup`,
    ]);
  }
  const suspects = c.drift
    .filter((d) => d.kind === 'changed' && d.canRestore)
    .map((d) => ({ path: driftPath(c.component, d), isBroken: d.isBroken }));
  const suspect =
    suspects.find((s) => s.isBroken && s.path !== null && isOwn(c.component, s.path)) ??
    suspects.find((s) => s.path !== null && named !== null && basename(s.path) === basename(named));
  if (suspect?.path) return putBack(c, suspect.path, fact, suspect.isBroken ? LIKELY : PLAUSIBLE);
  return forPeople(fact, `${fact.subject || 'a data file'} is damaged`, [
    'find out which file it reads, keep it, and restore it from a backup',
  ]);
}

const ENDED: ReadonlySet<string> = new Set(['exit', 'spawn', 'crash_loop']);

/** A component that is up has its database open, and nothing may be put in the place of one that is open. */
function closing(c: CaseFile): readonly RemedyStep[] {
  return ENDED.has(c.failure.symptom)
    ? []
    : [
        step(`stop ${c.component.name}, which has its database open`, 'restart_component', {
          reason: 'its database has to be closed first',
        }),
      ];
}

function putBack(c: CaseFile, path: string, fact: Fact, confidence: number, before: readonly RemedyStep[] = []): Diagnosis {
  const shown = shownPath(c.component, path);
  const restore = restoring(c, path);
  return diagnosis('data_corrupt', {
    cause: `the data file ${shown} is damaged; there is a copy of the last good boot`,
    confidence,
    evidence: [fact.line, driftAt(c, path, 'changed', 'missing')?.message ?? ''],
    remedy: { ...restore, steps: [...before, ...restore.steps] },
    advice: [`repair ${shown}: its copy lacks what was written since the last good boot`],
  });
}

function forPeople(fact: Fact, cause: string, advice: readonly string[]): Diagnosis {
  return diagnosis('data_corrupt', { cause, confidence: PLAUSIBLE, evidence: [fact.line], advice });
}
