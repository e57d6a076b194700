import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { labelOf, type RestoreResult, type Snapshot, type Snapshots } from '../../domains/snapshots/index.ts';
import type { Answer } from './answer.ts';
import type { AskPolicies } from './ask-policies.ts';
import { ConfirmationNeeded } from './errors.ts';
import { comparisonJson, comparisonLines, theSnapshot } from './snapshots.ts';
import { err, paint } from './terminal.ts';
import { count, iso } from './when.ts';

/** Items told to whoever has to agree. */
const TOLD_MAX = 20;

export interface RestoreRequest {
  readonly only: readonly string[];
  readonly isDryRun: boolean;
  readonly isAgreed: boolean;
  readonly whileRunning: boolean;
  /** Asks a person; null where none is there. */
  readonly ask: ((question: string) => Promise<boolean>) | null;
  readonly directory: string;
  /** Whether the policies let it be done. */
  readonly askPolicies: AskPolicies;
}

/**
 * `grace snapshots restore`: says what would change, asks, puts it back, and says whether it is as it was.
 * @throws NotKnown, ConfirmationNeeded, ActionRefused, and what `Snapshots.restore` refuses with: then nothing was changed
 */
export async function restoreSnapshot(snapshots: Snapshots, id: string, request: RestoreRequest, signal: AbortSignal): Promise<Answer> {
  const snapshot = await theSnapshot(snapshots, id);
  const only = request.only.map((name) => nameIn(snapshot, name, request.directory));
  const changed = (await snapshots.compare(id, signal, only)).filter(({ state }) => state !== 'same');
  const foreseen = [
    changed.length === 0 ? 'everything is as it was' : `${count(changed.length, 'item')} would be put back:`,
    ...(changed.length === 0 ? [] : comparisonLines(changed)),
  ];
  if (request.isDryRun)
    return { exitCode: 0, data: { snapshot: snapshot.id, would_restore: changed.map(comparisonJson) }, lines: foreseen };
  if (changed.length > 0 && !request.isAgreed) {
    if (request.ask === null) throw new ConfirmationNeeded(`grace snapshots restore ${snapshot.id}`);
    for (const line of foreseen) err(line);
    if (!(await request.ask(`Put back what ${snapshot.component} had at ${iso(snapshot.takenAtMs)}?`)))
      return {
        exitCode: 1,
        data: { snapshot: snapshot.id, restored: [], verified: false, left: [], before: null },
        lines: ['nothing was changed'],
      };
  }
  await request.askPolicies({
    request: (about) => ({ action: 'restore_snapshot', ...about, component: snapshot.component, snapshot: snapshot.id }),
    what: `restoring ${snapshot.id}`,
    // Agreed to was this part of it, in place of what was there then.
    occasion: JSON.stringify([only, changed.map(({ item, state, how }) => [labelOf(item), state, how])]),
    summary: [
      `put back what ${snapshot.component} had at ${iso(snapshot.takenAtMs)}`,
      ...changed.slice(0, TOLD_MAX).map(({ item, state, how }) => `${labelOf(item)}: ${state}${how === '' ? '' : `, ${how}`}`),
      ...(changed.length > TOLD_MAX ? [`and ${changed.length - TOLD_MAX} more`] : []),
    ],
  });
  const progress = process.stderr.isTTY ? (text: string): void => err(paint('dim', `  ${text}`)) : () => undefined;
  const result = await snapshots.restore(id, signal, { only, whileRunning: request.whileRunning, progress });
  return told(snapshot, result);
}

function told(snapshot: Snapshot, { restored, verified, left, before }: RestoreResult): Answer {
  const verdict = verified
    ? paint(
        'green',
        restored.length === 0 ? 'everything is as it was, nothing had to be changed' : 'everything is as it was, looked at afterwards',
      )
    : paint('red', 'not everything is as it was');
  return {
    exitCode: verified ? 0 : 1,
    data: { snapshot: snapshot.id, restored, verified, left, before: before?.id ?? null },
    lines: [
      ...restored.map((what) => `  ${paint('green', '✔')} ${what}`),
      ...left.map(({ what, why }) => `  ${paint('yellow', '▲')} ${what}: ${why}`),
      verdict,
      ...(before === null ? [] : [`to have back what was overwritten: grace snapshots restore ${before.id}`]),
    ],
  };
}

/** A path counts from where the person is; the name of a database is one already. */
function nameIn(snapshot: Snapshot, name: string, directory: string): string {
  return snapshot.items.some((item) => labelOf(item) === name) ? name : resolve(directory, name);
}

/** For a person at a terminal; null where the answer would come from nobody. */
export function askOnTerminal(): RestoreRequest['ask'] {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return null;
  return async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return /^y(?:es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
    } finally {
      lines.close();
    }
  };
}
