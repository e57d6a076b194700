import type { BootRecord } from '../../domains/boot/index.ts';
import type { GraceEvent } from '../../domains/healing/index.ts';
import { fingerprintFrom } from '../../domains/learning/index.ts';
import type { PlannedStep } from '../../domains/playbooks/index.ts';
import { foreseeRollback, rollBackRelease, type PlannedRollback, type Release, type Rollback } from '../../runtime/release-rollback.ts';
import type { Answer } from './answer.ts';
import { byHand, ownLog, SILENT } from './by-hand.ts';
import { ConfirmationNeeded, NotKnown } from './errors.ts';
import { findBoot } from './find.ts';
import { anotherPerson } from './four-eyes.ts';
import { dataDirOf, openMemory, type LookOptions, type Memory } from './memory.ts';
import { columns, err, paint, table, wrap } from './terminal.ts';

export interface RollbackRequest {
  readonly component: string | null;
  readonly isDryRun: boolean;
  readonly isAgreed: boolean;
  /** Asks a person; null where none is there. */
  readonly ask: ((question: string) => Promise<boolean>) | null;
}

/** Verified boots that are looked through for a commit; of older ones no fingerprint is kept. */
const BOOTS_LOOKED_AT = 100;
const COMMIT = /^[0-9a-f]{7,64}$/;

/** The release that somebody names: a verified boot, or a commit that one had; without a name, that of the last one. @throws NotKnown */
export async function theRelease(options: LookOptions, name: string | null): Promise<Release> {
  const memory = await openMemory(await dataDirOf(options));
  try {
    return await releaseIn(memory, name);
  } finally {
    await memory.close();
  }
}

/** @throws NotKnown */
export async function releaseIn(memory: Pick<Memory, 'boots'>, name: string | null): Promise<Release> {
  if (name === null || name === 'last') {
    const last = await memory.boots.lastVerified();
    if (last === null) throw new NotKnown('release', 'last good', 'no boot was verified yet: there is nothing to go back to');
    return releaseOf(last);
  }
  const boot = await findBoot(memory, name);
  if (boot !== null && !boot.isVerified)
    throw new NotKnown('good release', name, 'that boot was never verified: choose one that was, with grace boots');
  if (boot !== null) return releaseOf(boot);
  const had = COMMIT.test(name)
    ? (await memory.boots.list(BOOTS_LOOKED_AT))
        .filter((b) => b.isVerified)
        .map(releaseOf)
        .find(({ commit }) => commit !== null && isSameCommit(commit, name))
    : undefined;
  if (had === undefined)
    throw new NotKnown('good release', name, 'name a verified boot (grace boots), or seven digits at least of a commit that one had');
  return had;
}

/** Two ways to write one commit: boots remember its first digits. */
function isSameCommit(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

function releaseOf(boot: BootRecord): Release {
  return { boot: boot.id, commit: fingerprintFrom(boot.fingerprint).parts.git?.['commit'] || null };
}

/**
 * `grace boots rollback`: says what would be done; asks for the approval that it needs, or does it once that is there.
 * @throws ConfirmationNeeded, ReleaseInUse
 */
export async function rollBack(release: Release, options: LookOptions, request: RollbackRequest): Promise<Answer> {
  const hand = await byHand(options);
  const events: GraceEvent[] = [];
  const asked = {
    ...hand,
    release,
    component: request.component,
    emit: (event: GraceEvent) => void events.push(event),
    confirm: (plan: PlannedRollback) => confirm(plan, request),
  };
  if (request.isDryRun) return rollbackAnswer(await foreseeRollback({ ...asked, logger: SILENT }), []);
  return rollbackAnswer(await rollBackRelease({ ...asked, logger: ownLog(hand.config) }), events);
}

async function confirm(plan: PlannedRollback, { isAgreed, ask }: RollbackRequest): Promise<boolean> {
  if (isAgreed) return true;
  if (ask === null) throw new ConfirmationNeeded(`grace boots rollback --to ${plan.boot}`);
  for (const line of planLines(plan)) err(line);
  return ask(`Take ${plan.component} back to the release of ${plan.boot}?`);
}

/** Exit code 1 when it was not done, or would not be: refused, failed, or people have to agree first. */
export function rollbackAnswer(rollback: Rollback, events: readonly GraceEvent[]): Answer {
  const { state, decision, approval, boot, component } = rollback;
  const isFine =
    state === 'applied' ||
    state === 'nothing_to_do' ||
    (state === 'planned' && decision?.verdict !== 'deny' && decision?.verdict !== 'observe');
  const left = events.flatMap((e) => (e.type === 'undo_failed' ? e.left : []));
  const outcome: Readonly<Record<Rollback['state'], readonly string[]>> = {
    planned: ['nothing was changed: this is what would happen now'],
    applied: [
      `${paint('green', 'done')}: ${component} has the release of ${boot}; what was set aside is kept (${rollback.run ?? ''})`,
      'the next boot shows whether it holds, and takes all of it back when it does not: grace up',
    ],
    nothing_to_do: [`nothing to do: ${rollback.detail}`],
    refused: [`${paint('red', 'refused')}, nothing was changed: ${rollback.detail}`],
    waiting: [`${paint('yellow', 'not done yet')}: ${rollback.detail}`, ...anotherPerson(approval ?? '')],
    declined: [rollback.detail],
    failed: [
      `${paint('red', 'failed')}${left.length === 0 ? ', and what it had done was undone' : `; left as it is: ${left.join('; ')}`}: ${rollback.detail}`,
    ],
  };
  return {
    exitCode: isFine ? 0 : 1,
    data: {
      state,
      component,
      boot,
      commit: rollback.commit,
      playbook: rollback.playbook,
      governance: decision === null ? null : { verdict: decision.verdict, reason: decision.reason, policies: decision.policies },
      steps: rollback.steps.map((s) => ({
        step: s.step,
        primitive: s.primitive,
        state: s.state,
        summary: s.summary,
        targets: s.targets,
        undo: s.hasUndo,
      })),
      detail: rollback.detail,
      run: rollback.run,
      approval,
      left,
    },
    lines: [...(state === 'applied' || state === 'declined' ? [] : planLines(rollback)), ...outcome[state]],
  };
}

const MARK = { ready: '→', nothing_to_do: '·', refused: '✖' } as const;

function planLines({ boot, commit, component, playbook, steps, decision }: PlannedRollback): readonly string[] {
  return [
    table([
      ['component', component],
      ['release', commit === null ? boot : `${boot}, commit ${commit}`],
      ['playbook', playbook],
      ...(decision === null ? [] : [['governance', wrap(`${decision.verdict}: ${decision.reason}`, columns() - 14, ' '.repeat(12))]]),
    ]),
    '',
    ...steps.flatMap(stepLines),
    '',
  ];
}

function stepLines({ step, primitive, state, summary, targets }: PlannedStep, index: number): readonly string[] {
  return [
    `  ${index + 1}. ${step} ${paint('dim', `(${primitive})`)}`,
    `     ${MARK[state]} ${wrap(`${state.replaceAll('_', ' ')}: ${summary}`, columns() - 8, '       ')}`,
    ...targets.map((target) => `       ${paint('dim', `target ${target}`)}`),
  ];
}
