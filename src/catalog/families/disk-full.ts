import { isAbsolute, join, relative } from 'node:path';
import { factsOf, type CaseFile, type FailureFamily } from '../../domains/learning/index.ts';
import { CAREFUL, diagnosis, linesOf, remedy, step, SURE, WORDS_ONLY } from './answer.ts';
import { findFullDisk, mountAbove, mountsOf, roomToGoOn, roomWanted, type FullDisk } from './disk-room.ts';
import { globPattern } from '../../kernel/index.ts';
import { findBelow } from './find-file.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { absolutePath, isBelow, isOwn, slugOf } from './places.ts';

/**
 * No room to write. Many services answer their health URL all the same, so the disks are looked at whatever was said.
 * Only what was declared expendable is removed: everything else may be somebody's data.
 */
export const diskFull: FailureFamily = {
  name: 'disk_full',
  title: 'the disk is full',
  async diagnose(c) {
    const facts = factsOf(c, 'disk_full');
    const named = facts.map((f) => absolutePath(c.component, f.subject)).filter((p) => p !== null);
    const full = await findFullDisk(c.files, c.host, c.component, named);
    if (full === null) return facts.length === 0 ? [] : [hasRoomNow(c, linesOf(facts))];
    const evidence = [
      ...linesOf(facts),
      `${full.path}: ${full.room.freeBytes} of ${full.room.totalBytes} bytes free${full.room.freeInodes === 0 ? ', no inodes left' : ''}`,
    ];
    const confidence = facts.length > 0 ? SURE : QUIET.has(c.failure.symptom) ? 0.88 : 0.8;
    const bytes = roomWanted(full.room);
    const where = await expendableOn(c, full);
    const cause = `disk full (ENOSPC) at ${full.path}${full.room.freeInodes === 0 ? ': no inodes left' : ''}`;
    const waitFor = { kind: 'disk_room', path: full.path, bytes: roomToGoOn(full.room) } as const;
    if (where === null)
      return [
        diagnosis('disk_full', {
          cause: `${cause}, and nothing there was declared expendable`,
          confidence,
          evidence,
          advice: [
            `make room at ${full.path}; Grace never deletes data that was not declared expendable`,
            `declare caches and old logs of ${c.component.name} as expendable`,
          ],
          waitFor,
        }),
      ];
    return [
      diagnosis('disk_full', {
        cause,
        confidence,
        evidence,
        remedy: remedy(`free_disk_space_${slugOf(c.component, where)}`, `remove expendable files at ${full.path}`, CAREFUL, [
          step(`free disk space at ${full.path}, of expendable files only`, 'free_disk_space', { path: where, bytes }),
        ]),
        advice: [`make room at ${full.path}`],
        waitFor,
      }),
    ];
  },
  guard: (g) => guardOfSteps('disk_full', g),
};

/** Symptoms of services that say nothing when they cannot write. */
const QUIET: ReadonlySet<string> = new Set(['smoke', 'liveness', 'not_ready']);

function hasRoomNow(c: CaseFile, evidence: readonly string[]): ReturnType<typeof diagnosis> {
  return diagnosis('disk_full', {
    cause: 'disk full (ENOSPC) when it wrote; there is room now',
    confidence: WORDS_ONLY,
    evidence,
    advice: [`see what filled the disk of ${c.component.cwd}`],
    waitFor: { kind: 'disk_room', path: c.component.cwd, bytes: 1 },
  });
}

/** A path below the roots on the full disk where something expendable lies; null when there is nothing. */
async function expendableOn(c: CaseFile, full: FullDisk): Promise<string | null> {
  if (c.component.expendable.length === 0) return null;
  const mounts = [...(await mountsOf(c.host, c.component)), full.path];
  const patterns = c.component.expendable.map(globPattern);
  const isExpendable = (path: string): boolean =>
    c.component.roots.some((root) => patterns.some((pattern) => pattern.test(relative(root, path)) || pattern.test(path))) ||
    c.component.expendable.some((glob) => !isAbsolute(glob) && globPattern(join(c.component.cwd, glob)).test(path));
  const found = await findBelow(
    c.files,
    c.component.roots,
    (path, kind) => kind === 'file' && isExpendable(path) && mountAbove(mounts, path) === mountAbove(mounts, full.path),
    1,
  );
  const first = found[0];
  if (first === undefined) return null;
  if (isOwn(c.component, full.path)) return full.path;
  return c.component.roots.find((root) => isBelow(root, first)) ?? null;
}
