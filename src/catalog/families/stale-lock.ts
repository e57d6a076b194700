import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import type { RemedyStep } from '../../domains/playbooks/index.ts';
import {
  diagnosis,
  LIKELY,
  linesOf,
  number,
  PLAUSIBLE,
  remedy,
  remedyInPlace,
  saidBy,
  step,
  SURE,
  WORDS_ONLY,
  ONE_WAY,
  HARMLESS,
} from './answer.ts';
import { addressOf } from './dependency-address.ts';
import { findBelow } from './find-file.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { expectedProgram, isStaleLock, lockPid } from './lock-owner.ts';
import { absolutePath, basename, isOwn, shownPath, slugOf } from './places.ts';

const START_TIMEOUT_MS = 60_000;
/** Files that nothing but a lock is called. */
const LOCK_NAME = /^(?:postmaster\.pid|.*\.(?:pid|lock|lck)|lockfile|\.lock)$/i;
/** Lock files of these are only handles for a lock of the operating system: while one is refused, its holder lives. */
const KERNEL_LOCK =
  /^LOCK$|(?:^|\/)(?:package-lock\.json|yarn\.lock|.*-lock\.yaml|Gemfile\.lock|poetry\.lock|Cargo\.lock|composer\.lock|uv\.lock|bun\.lockb?)$/;

/** A lock or pid file of a process that is gone keeps the next one from starting. Moved aside, never deleted. */
export const staleLock: FailureFamily = {
  name: 'stale_lock',
  title: 'a lock file was left over',
  async diagnose(c) {
    const facts = factsOf(c, 'lock_held');
    const found = new Map<string, Diagnosis>();
    for (const fact of facts) {
      for (const path of await lockPaths(c, fact.subject))
        if (!found.has(path)) found.set(path, await diagnoseLock(c, path, number(fact, 'pid'), fact.line));
    }
    if (found.size > 0) return [...found.values()];
    if (facts.length > 0 || c.component.kind === 'dependency' || /already running|another instance|lock file|pid ?file/i.test(saidBy(c)))
      for (const path of await leftOvers(c, c.component)) {
        const pid = await lockPid(c.files, path);
        if (pid !== null && (await isStaleLock(c.host, pid, expectedProgram(path, c.component), c.component)))
          found.set(path, await diagnoseLock(c, path, pid, facts[0]?.line ?? ''));
      }
    if (found.size === 0)
      for (const fact of facts.slice(0, 1))
        found.set(
          '',
          diagnosis('stale_lock', {
            cause: `${fact.subject || 'a lock'} is held${fact.details['pid'] === undefined ? '' : ` by pid ${String(fact.details['pid'])}`}`,
            confidence: WORDS_ONLY,
            evidence: [fact.line],
            advice: ['see whether another copy is running; only then remove the lock'],
          }),
        );
    return [...found.values()];
  },
  guard: (g) => guardOfSteps('stale_lock', g),
};

async function lockPaths(c: CaseFile, subject: string): Promise<readonly string[]> {
  const path = absolutePath(c.component, subject);
  if (path === null) return [];
  if ((await c.files.stat(path)) !== null) return [path];
  // PostgreSQL names `postmaster.pid` in full, others only the name.
  return findBelow(c.files, c.component.roots, (at) => basename(at) === basename(path), 1);
}

/** Locks below the component's roots; a component that runs again and again with the same lock has few of them. */
export async function leftOvers(c: Pick<CaseFile, 'files'>, component: ComponentSpec): Promise<readonly string[]> {
  return findBelow(
    c.files,
    component.roots,
    (path, kind) => kind === 'file' && LOCK_NAME.test(basename(path)) && !KERNEL_LOCK.test(path),
    10,
  );
}

async function diagnoseLock(c: CaseFile, path: string, saidPid: number | null, line: string): Promise<Diagnosis> {
  const shown = shownPath(c.component, path);
  if (!isOwn(c.component, path))
    return diagnosis('stale_lock', {
      cause: `the lock ${shown}, outside of what belongs to ${c.component.name}, is held`,
      confidence: WORDS_ONLY,
      evidence: [line],
      advice: [`see who holds ${shown}`],
    });
  const pid = (await lockPid(c.files, path)) ?? saidPid;
  const expect = expectedProgram(path, c.component);
  const process = pid === null ? null : await c.host.process(pid);
  if (KERNEL_LOCK.test(basename(path)) || (pid !== null && !(await isStaleLock(c.host, pid, expect, c.component))))
    return diagnosis('stale_lock', {
      cause: `${shown} is locked by ${pid === null ? 'a process that is still running' : `pid ${pid} (${process?.command ?? 'running'})`}: another copy uses it`,
      confidence: LIKELY,
      evidence: [line],
      advice: [
        pid === null
          ? 'find the process that has it open and stop it'
          : `stop pid ${pid} where it was started, if it does not belong there`,
      ],
      waitFor: { kind: 'file_change', path },
    });
  // Without a pid nobody can tell whether its holder lives.
  if ((await lockPid(c.files, path)) === null)
    return diagnosis('stale_lock', {
      cause: `${shown} is there and keeps ${c.component.name} from starting; it does not say whose it is`,
      confidence: WORDS_ONLY,
      evidence: [line],
      advice: [`make sure that no other copy runs, then move ${shown} away`],
      waitFor: { kind: 'file_change', path },
    });
  const holder =
    pid === null
      ? 'names no process'
      : process === null
        ? `names process ${pid}, which is gone`
        : `names process ${pid}, which is ${process.command} now`;
  const steps = [step(`move the stale lock ${shown} aside`, 'remove_stale_lock', { path, expect }), ...startAgain(c.component)];
  const build = c.component.kind === 'dependency' && steps.length > 1 ? remedyInPlace : remedy;
  return diagnosis('stale_lock', {
    cause: `the lock ${shown} was left over: it ${holder}`,
    confidence: line === '' ? PLAUSIBLE : SURE,
    evidence: [line, `${shown} ${holder}`, ...linesOf(factsOf(c, 'lock_held'))],
    remedy: build(
      `remove_stale_${slugOf(c.component, path)}`,
      `move the lock that was left over aside and start ${c.component.name}`,
      steps.some((s) => s.primitive === 'start_dependency') ? ONE_WAY : HARMLESS,
      steps,
    ),
    advice: [`remove ${shown} once you are sure that nothing uses it`],
  });
}

function startAgain(component: ComponentSpec): readonly RemedyStep[] {
  if (component.kind !== 'dependency' || component.command.length === 0) return [];
  const address = addressOf(component);
  return [
    step(`start ${component.name}`, 'start_dependency', { name: component.name }),
    ...(address === null
      ? []
      : [step(`wait until ${component.name} answers`, 'wait_for_dependency', { ...address, timeoutMs: START_TIMEOUT_MS })]),
  ];
}
