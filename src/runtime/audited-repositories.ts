import { isLost, plainly, type ApprovalWritten, type Carry, type OpenedStore } from '../adapters/store/index.ts';
import type { Breaker, ModeChange, PersonRequest, PolicyText, RecordedDecision, TierChange } from '../domains/governance/index.ts';
import type { GroupingRule } from '../domains/incidents/index.ts';
import type { Mission } from '../domains/missions/index.ts';
import type { JournalEntry, PlaybookRun, RegisteredPlaybook } from '../domains/playbooks/index.ts';
import type { Snapshots } from '../domains/snapshots/index.ts';
import { messageOf } from '../kernel/index.ts';
import type { Audit, AuditNote } from './audit.ts';
import {
  answerNote,
  approvalNote,
  breakerNote,
  decisionNote,
  expiryNote,
  failureNote,
  groupingNote,
  missionNote,
  modeNote,
  playbookNotes,
  policyNote,
  requestNote,
  runNote,
  stepNote,
  tierNote,
} from './audit-notes.ts';
import type { Repositories } from './repositories.ts';

/** Statements of the store that are carried out together with their entry in the log. */
export interface AuditedCarries {
  readonly decision: Carry<RecordedDecision>;
  readonly approval: Carry<ApprovalWritten>;
  readonly breaker: Carry<Breaker>;
  readonly mission: Carry<Mission>;
  readonly mode: Carry<ModeChange>;
  readonly request: Carry<PersonRequest>;
  readonly policyText: Carry<PolicyText>;
  readonly tierChange: Carry<TierChange>;
  readonly groupingRule: Carry<GroupingRule>;
  readonly playbook: Carry<RegisteredPlaybook>;
  readonly step: Carry<JournalEntry>;
  readonly run: Carry<{ readonly run: PlaybookRun; readonly why: string | undefined }>;
}

/**
 * What may not happen unlogged throws when it cannot be logged: what a person decides, a decision, a run or a step about to act, a run
 * about to be put back. How those ended, and what Grace notices, is kept in any case: what can be undone hangs on it.
 * @param plain  the store without the log, for looking
 */
export function auditedCarries(
  store: OpenedStore,
  audit: Audit,
  actor: string,
  plain: Pick<Repositories, 'playbooks' | 'incidents' | 'missions' | 'policyTexts'> & {
    readonly steps: (run: string) => Promise<readonly JournalEntry[]>;
  },
): AuditedCarries {
  const direct = plainly(store.db);
  const together = async (statements: Parameters<Carry<unknown>>[0], notes: readonly AuditNote[], isRequired: boolean): Promise<void> => {
    if (notes.length === 0) return direct(statements, null);
    try {
      await audit.record({ changes: statements, entries: notes });
    } catch (error) {
      if (isRequired || isLost(error)) throw error;
      await direct(statements, null);
    }
  };
  return {
    decision: (statements, entry) =>
      together(statements, [entry.action === 'answer_approval' ? answerNote(entry) : decisionNote(entry)], true),
    approval(statements, { approval, what, answer }) {
      if (answer !== null) return together(statements, [answerNote(answer)], true);
      if (what === 'asked') return together(statements, [approvalNote(approval, actor)], true);
      // Its time is over whatever the log does.
      return together(statements, what === 'expired' ? [expiryNote(approval)] : [], false);
    },
    breaker(statements, breaker) {
      const note = breakerNote(breaker);
      // A person closes it: not without a trace. A limit that opens holds in any case.
      return together(statements, [note], note.action === 'limit.breaker_closed' && note.actor !== 'grace');
    },
    async mission(statements, mission) {
      // That it was seen again is no news.
      const isNew = (await plain.missions.get(mission.id))?.state !== mission.state;
      await together(statements, isNew ? [missionNote(mission)] : [], mission.state === 'abandoned');
    },
    mode: (statements, change) => together(statements, [modeNote(change)], true),
    // Asked for, or about to be done: not without a trace.
    request: (statements, request) =>
      together(statements, [requestNote(request, actor)], request.state === 'asked' || request.state === 'running'),
    async policyText(statements, text) {
      const [known, inForce] = await Promise.all([plain.policyTexts.get(text.digest), plain.policyTexts.inForce()]);
      const isNew = known?.state !== text.state && text.state !== 'past';
      const isFirst = known === null && inForce === null;
      await together(statements, isNew ? [policyNote(text, actor)] : [], text.state === 'in_force' && !isFirst);
    },
    // Less trust holds whatever the log does; more trust is not given without a trace.
    tierChange: (statements, change) => together(statements, [tierNote(change)], change.kind === 'promoted'),
    groupingRule: (statements, rule) => together(statements, [groupingNote(rule)], true),
    async playbook(statements, playbook) {
      const before = await plain.playbooks.get(playbook.name);
      const isSwitched = before !== null && before.isEnabled !== playbook.isEnabled;
      await together(statements, playbookNotes(before, playbook, actor), isSwitched);
    },
    step: (statements, entry) => together(statements, [stepNote(entry, actor)], entry.state === 'planned'),
    async run(statements, { run, why }) {
      const before = await plain.playbooks.run(run.id);
      // An undo that a crash cut off is begun anew, and acts again.
      if (before?.state === run.state && run.state !== 'undoing') return together(statements, [], false);
      const isAhead = run.state === 'running' || run.state === 'undoing';
      const hasEnded = !isAhead && run.state !== 'applied';
      const failure = hasEnded && run.failureId !== null ? await plain.incidents.failure(run.failureId) : null;
      const pattern = failure === null ? null : await plain.incidents.pattern(failure.signature);
      const steps = hasEnded ? await plain.steps(run.id) : [];
      await together(statements, [runNote({ run, why, before: before?.state ?? null, failure, pattern, steps, actor })], isAhead);
    },
  };
}

/**
 * The store with the log beside it, for what Grace notices: it has happened, so nobody waits for the entry.
 * @param actor  who is asked for what says no name itself: `grace`, or the user of a command
 */
export function auditedRepositories(plain: Repositories, audit: Audit, actor: string): Repositories {
  const { incidents, boots } = plain;
  return {
    ...plain,
    incidents: {
      ...incidents,
      async saveFailure(failure) {
        await incidents.saveFailure(failure);
        audit.note(failureNote(failure));
      },
      async savePattern(pattern) {
        const before = await incidents.pattern(pattern.signature);
        await incidents.savePattern(pattern);
        noteState(before?.state ?? null, pattern);
      },
      async changePattern(signature, change) {
        const before = await incidents.pattern(signature);
        const after = await incidents.changePattern(signature, change);
        if (after !== null) noteState(before?.state ?? null, after);
        return after;
      },
    },
    boots: {
      ...boots,
      async save(boot) {
        if (boot.outcome === 'interrupted' && (await boots.get(boot.id))?.outcome !== 'interrupted')
          audit.note({
            actor,
            action: 'boot.interrupted',
            resource: `boot/${boot.id}`,
            subsystem: 'boot',
            result: 'failed',
            payload: { stages: boot.report.stages.map(({ stage, result }) => `${stage}: ${result}`) },
          });
        await boots.save(boot);
      },
    },
  };

  function noteState(before: string | null, pattern: { signature: string; incidentId: string; component: string; state: string }): void {
    if (before === pattern.state) return;
    audit.note({
      actor,
      action: 'pattern.state_changed',
      resource: `incident/${pattern.incidentId}`,
      subsystem: 'incidents',
      result: 'ok',
      payload: { signature: pattern.signature, component: pattern.component, from: before, to: pattern.state },
    });
  }
}

/** Snapshots with the log in front of them: nothing is put back without a trace. */
export function auditedSnapshots(snapshots: Snapshots, audit: Audit, actor: string): Snapshots {
  const about = (id: string): Omit<AuditNote, 'action' | 'result' | 'payload'> => ({
    actor,
    resource: `snapshot/${id}`,
    subsystem: 'snapshots',
  });
  return {
    take: async (component, request, signal) => {
      const taken = await snapshots.take(component, request, signal);
      audit.note({
        ...about(taken.id),
        action: 'snapshot.taken',
        result: taken.leftOut.length === 0 ? 'ok' : 'partial',
        payload: {
          component: component.name,
          reason: taken.reason,
          run: taken.runId,
          playbook: taken.playbook,
          items: taken.items.length,
          left_out: taken.leftOut.map(({ what, why }) => `${what}: ${why}`),
        },
      });
      return taken;
    },
    list: () => snapshots.list(),
    get: (id) => snapshots.get(id),
    compare: (id, signal, only) => snapshots.compare(id, signal, only),
    restore: async (id, signal, options) => {
      await audit.append({
        ...about(id),
        action: 'snapshot.restoring',
        result: 'ok',
        payload: { only: options?.only ?? [], while_running: options?.whileRunning ?? false },
      });
      try {
        const { restored, verified, left, before } = await snapshots.restore(id, signal, options);
        const payload = { restored, left: left.map(({ what, why }) => `${what}: ${why}`), before: before?.id ?? null };
        audit.note({ ...about(id), action: 'snapshot.restored', result: verified ? 'ok' : 'partial', payload });
        return { restored, verified, left, before };
      } catch (error) {
        audit.note({ ...about(id), action: 'snapshot.restored', result: 'failed', payload: { error: messageOf(error) } });
        throw error;
      }
    },
    prune: () => snapshots.prune(),
  };
}
