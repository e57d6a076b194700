import { dirname, extname } from 'node:path';
import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { LastGoodEntry } from '../../domains/playbooks/index.ts';
import { CAREFUL, diagnosis, failsToWork, HARMLESS, LIKELY, PLAUSIBLE, remedy, step, SURE, text, WORDS_ONLY } from './answer.ts';
import { sqlitePathOf } from './database-file.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { canBringBack, missingPartOf, pathsConfigured, pathsIn } from './missing-part.ts';
import {
  absolutePath,
  basename,
  driftPath,
  isBelow,
  isInPackages,
  isOwn,
  isToBeWritten,
  isVolatileDirectory,
  looksLikeDirectory,
  shownPath,
  slugOf,
} from './places.ts';

/** More small files than this were a data set, and an empty directory would hide its loss. */
const FILES_MAX = 20;

/**
 * A directory is gone. An empty one is harmless where logs or caches were; where data was, it would make the service start
 * without its data, so then a person is asked: the volume may only not be mounted.
 */
export const directoryMissing: FailureFamily = {
  name: 'directory_missing',
  title: 'a directory is missing',
  async diagnose(c) {
    const facts = [...factsOf(c, 'path_missing', 'not_a_directory'), ...factsOf(c, 'permission_denied').filter((f) => f.details['socket'])];
    const found = new Map<string, Diagnosis>();
    const named: { readonly path: string; readonly line: string; readonly isNamed: boolean }[] = [];
    for (const fact of facts) {
      const path = absolutePath(c.component, fact.subject);
      const database = fact.runtime === 'sqlite' ? sqlitePathOf(c) : null;
      if (path !== null) named.push({ path, line: fact.line, isNamed: true });
      // "unable to open database file" names no file either, but the configuration may.
      else if (fact.runtime === 'sqlite') named.push(...(database === null ? [] : [{ path: database, line: fact.line, isNamed: true }]));
      // "Can't open the log file: No such file or directory": the path stands a line above.
      else {
        const key = text(fact, 'key');
        for (const configured of key === '' ? [] : await pathsConfigured(c, key))
          named.push({ path: configured, line: fact.line, isNamed: true });
        for (const near of pathsIn(c.component, c.failure.output.slice(Math.max(0, fact.lineIndex - 3), fact.lineIndex + 2)))
          named.push({ path: near, line: fact.line, isNamed: false });
      }
    }
    for (const { path, line, isNamed } of named) {
      if (isInPackages(path)) continue;
      const part = await missingPartOf(c, path);
      if (part === null || found.has(part.path) || part.isDangling) continue;
      const wasDirectory = part.entry?.kind === 'directory';
      if (!wasDirectory && (part.entry !== null || (part.isLeaf && !looksLikeDirectory(path)))) continue;
      if (!part.isLeaf && canBringBack(await c.lastGood.entry(c.component.name, path))) continue;
      if (!wasDirectory && !part.isLeaf && !isToBeWritten(path, part.path)) continue;
      // All of the way down: a directory made half way would fail again one level deeper.
      const wanted = part.isLeaf || wasDirectory ? part.path : extname(path) === '' && looksLikeDirectory(path) ? path : dirname(path);
      const answer = await diagnoseDirectory(c, wanted, line, wasDirectory ? SURE : isNamed ? (part.isLeaf ? 0.7 : 0.8) : WORDS_ONLY);
      found.set(part.path, answer);
    }
    if (found.size > 0) return [...found.values()];
    for (const drift of failsToWork(c) ? c.drift : []) {
      const path = driftPath(c.component, drift);
      if (
        path === null ||
        drift.kind !== 'missing' ||
        isInPackages(path) ||
        basename(path) === 'node_modules' ||
        [...found.keys()].some((above) => isBelow(above, path))
      )
        continue;
      if ((await c.lastGood.entry(c.component.name, path))?.kind !== 'directory' || (await c.files.stat(path)) !== null) continue;
      found.set(path, await diagnoseDirectory(c, path, drift.message, facts.length > 0 ? LIKELY : PLAUSIBLE));
    }
    return [...found.values()];
  },
  guard: (g) => guardOfSteps('directory_missing', g),
};

async function diagnoseDirectory(c: CaseFile, path: string, line: string, confidence: number): Promise<Diagnosis> {
  const shown = shownPath(c.component, path);
  if (!isOwn(c.component, path))
    return diagnosis('directory_missing', {
      cause: `the directory ${shown} is missing; it lies outside of what belongs to ${c.component.name}`,
      confidence: WORDS_ONLY,
      evidence: [line],
      advice: [`create ${shown}, or correct the setting that names it`],
    });
  const below = isVolatileDirectory(path)
    ? []
    : (await c.lastGood.entries(c.component.name)).filter((e) => e.path !== path && isBelow(path, e.path));
  const files = below.filter((e) => e.kind !== 'directory' && !isVolatileDirectory(parentOf(e)));
  if (files.length > FILES_MAX || !files.every(canBringBack))
    return diagnosis('directory_missing', {
      cause: `the directory ${shown} is gone, with ${files.length} files that the last good boot saw in it`,
      confidence,
      evidence: [line],
      advice: [`see whether a volume belongs at ${shown} and is not mounted`, `restore ${shown} from a backup`],
      waitFor: { kind: 'file_change', path },
    });
  const directories = below.filter((e) => e.kind === 'directory');
  const steps = [
    step(`create the directory ${shown}`, 'make_directory', { path }),
    ...directories
      .slice(0, FILES_MAX)
      .map((e) => step(`create the directory ${shownPath(c.component, e.path)}`, 'make_directory', { path: e.path })),
    ...files.map((e) =>
      step(`put ${shownPath(c.component, e.path)} back as it was at the last good boot`, 'restore_file', { path: e.path }),
    ),
  ];
  return diagnosis('directory_missing', {
    cause: `the directory ${shown} is missing`,
    confidence,
    evidence: [line],
    remedy: remedy(
      `make_${slugOf(c.component, path)}`,
      `create the directory ${shown}${files.length > 0 ? ' with the files of the last good boot' : ''}`,
      files.length > 0 ? CAREFUL : HARMLESS,
      steps,
    ),
    advice: [`create ${shown}`],
  });
}

function parentOf(entry: LastGoodEntry): string {
  return entry.path.slice(0, entry.path.lastIndexOf('/'));
}
