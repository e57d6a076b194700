import type { BootRecord } from '../../domains/boot/index.ts';
import { compareFingerprints, fingerprintFrom, type FingerprintChange } from '../../domains/learning/index.ts';
import type { Answer } from './answer.ts';
import { theBoot } from './find.ts';
import type { Memory } from './memory.ts';
import { outcomeOf } from './boots.ts';
import { paint, table } from './terminal.ts';
import { count, iso, when } from './when.ts';

const BOOTS_MAX = 500;

/**
 * `grace diff`: what changed between two boots. Without names the newest boot with a fingerprint and the last verified one
 * before it; with one name, that boot and the last verified one before it.
 */
export async function diff(memory: Memory, first: string | undefined, second: string | undefined): Promise<Answer> {
  const boots = await memory.boots.list(BOOTS_MAX);
  const newest = boots[0];
  const after =
    second !== undefined
      ? await theBoot(memory, second)
      : first !== undefined
        ? await theBoot(memory, first)
        : boots.find((b) => hasFingerprint(b));
  const before =
    first !== undefined && second !== undefined
      ? await theBoot(memory, first)
      : boots.find((b) => after !== undefined && b.startedAtMs < after.startedAtMs && b.isVerified && hasFingerprint(b));
  const notes: string[] = [];
  if (first === undefined && newest !== undefined && after !== undefined && newest.id !== after.id)
    notes.push(`${newest.id}, the newest boot, kept no fingerprint: only boots that are up for their soak time do`);
  const refusal =
    after === undefined
      ? 'no boot here has a fingerprint yet: one is kept when a boot is up and stays so'
      : before === undefined
        ? `there is no verified boot with a fingerprint before ${after.id}`
        : (lacking(before) ?? lacking(after));
  if (refusal !== null || before === undefined || after === undefined)
    return {
      exitCode: 1,
      data: { before: side(before), after: side(after), comparable: false, reason: refusal, notes, changes: [] },
      lines: [`${paint('yellow', 'nothing to compare')}: ${refusal}`, ...notes],
    };
  const changes = compareFingerprints(fingerprintFrom(before.fingerprint), fingerprintFrom(after.fingerprint));
  const lines = [
    `${title(before, memory.nowMs)}  ${paint('dim', '->')}  ${title(after, memory.nowMs)}`,
    ...notes.map((n) => paint('dim', n)),
    '',
    ...(changes.length === 0
      ? ['nothing changed that a fingerprint shows']
      : [
          table(changes.map((c) => [`  ${MARK[c.change]()}`, c.kind, c.subject, c.detail === '' ? c.change : c.detail])),
          '',
          count(changes.length, 'change'),
        ]),
  ];
  return {
    exitCode: 0,
    data: { before: side(before), after: side(after), comparable: true, reason: null, notes, changes },
    lines,
  };
}

const MARK: Readonly<Record<FingerprintChange['change'], () => string>> = {
  added: () => paint('green', '+'),
  removed: () => paint('red', '-'),
  changed: () => paint('yellow', '~'),
};

function hasFingerprint(boot: BootRecord): boolean {
  return Object.keys(boot.fingerprint).length > 0;
}

function lacking(boot: BootRecord): string | null {
  return hasFingerprint(boot) ? null : `${boot.id} (${boot.outcome}) kept no fingerprint: only boots that are up for their soak time do`;
}

function title(boot: BootRecord, nowMs: number): string {
  return `${paint('bold', boot.id)} ${paint('dim', `(${when(boot.startedAtMs, nowMs)}, `)}${outcomeOf(boot)}${paint('dim', ')')}`;
}

function side(boot: BootRecord | undefined): object | null {
  return boot === undefined
    ? null
    : { id: boot.id, at: iso(boot.startedAtMs), outcome: boot.outcome, verified: boot.isVerified, has_fingerprint: hasFingerprint(boot) };
}
