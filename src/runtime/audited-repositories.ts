import { plainly, type Carry, type OpenedStore } from '../adapters/store/index.ts';
import type { RecordedDecision } from '../domains/governance/index.ts';
import type { JournalEntry, PlaybookRun } from '../domains/playbooks/index.ts';
import type { Snapshots } from '../domains/snapshots/index.ts';
import { messageOf } from '../kernel/index.ts';
import { actorOf, type Audit, type AuditNote } from './audit.ts';
import { answerNote, approvalNote, breakerNote, missionNote, decisionNote, failureNote, runNote, stepNote } from './audit-notes.ts';
import type { Repositories } from './repositories.ts';

/** Statements of the store that are carried out together with their entry in the log. */
export interface AuditedCarries {
  readonly decision: Carry<RecordedDecision>;
  readonly step: Carry<JournalEntry>;
  readonly run: Carry<{ readonly run: PlaybookRun; readonly why: string | undefined }>;
}

/**
 * What may not happen unlogged throws when it cannot be logged: a decision, a run or a step about to act, a run about to be put
 * back. How those ended is kept in any case: what can be undone hangs on it.
 * @param plain  the store without the log, for looking
 */
export function auditedCarries(
  store: OpenedStore,
  audit: Audit,
  actor: string,
  plain: Pick<Repositories, 'playbooks' | 'incidents'> & { readonly steps: (run: string) => Promise<readonly JournalEntry[]> },
): AuditedCarries {
  const direct = plainly(store.db);
  const together = async (statements: Parameters<Carry<unknown>>[0], notes: readonly AuditNote[], isRequired: boolean): Promise<void> => {
    if (notes.length === 0) return direct(statements, null);
    try {
      await audit.record({ changes: statements, entries: notes });
    } catch (error) {
      if (isRequired) throw error;
      await direct(statements, null);
    }
  };
  return {
    decision: (statements, entry) =>
      together(statements, [entry.action === 'answer_approval' ? answerNote(entry) : decisionNote(entry)], true),
    step: (statements, entry) => together(statements, [stepNote(entry, actor)], entry.state === 'planned'),
    async run(statements, { run, why }) {
      const before = await plain.playbooks.run(run.id);
      if (before?.state === run.state) return together(statements, [], false);
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
 * The store with the log in front of it. What a person decides is written first, and does not happen when it cannot be; what
 * Grace notices is written beside: it has happened.
 * @param actor  who is asked for what says no name itself: `grace`, or the user of a command
 */
export function auditedRepositories(plain: Repositories, audit: Audit, actor: string): Repositories {
  const { approvals, limits, missions, modes, requests, policyTexts, tierChanges, groupingRules, playbooks, incidents, boots } = plain;
  return {
    ...plain,
    approvals: {
      ...approvals,
      async save(approval) {
        if ((await approvals.get(approval.id)) === null) await audit.append(approvalNote(approval, actor));
        await approvals.save(approval);
      },
    },
    limits: {
      ...limits,
      async saveBreaker(breaker) {
        const note = breakerNote(breaker);
        // A person closes it: not without a trace. A limit that opens holds in any case.
        if (breaker.closedAtMs !== null && note.actor !== 'grace') await audit.append(note);
        else audit.note(note);
        await limits.saveBreaker(breaker);
      },
    },
    missions: {
      ...missions,
      async save(mission) {
        const before = await missions.get(mission.id);
        // That it was seen again is no news.
        if (before?.state !== mission.state) await audit.append(missionNote(mission));
        await missions.save(mission);
      },
    },
    modes: {
      ...modes,
      async append(change) {
        const { by, mode, reason, untilMs, fallback, claimedName } = change;
        await audit.append({
          actor: actorOf(by),
          action: 'mode.set',
          resource: 'grace/mode',
          subsystem: 'governance',
          result: 'ok',
          payload: { mode, reason, until: momentOf(untilMs), fallback, claimed_name: claimedName },
        });
        await modes.append(change);
      },
    },
    requests: {
      ...requests,
      async add(request) {
        const { id, component, by, claimedName, reason } = request;
        await audit.append({
          actor: actorOf(by),
          action: 'restart.asked',
          resource: `component/${component}`,
          subsystem: 'supervision',
          result: 'ok',
          payload: { request: id, reason, claimed_name: claimedName },
        });
        await requests.add(request);
      },
      async move(id, from, change) {
        const request = await requests.get(id);
        const note: AuditNote = {
          actor,
          action: 'restart.answered',
          resource: `component/${request?.component ?? ''}`,
          subsystem: 'supervision',
          result: change.state === 'failed' ? 'failed' : change.state === 'refused' || change.state === 'expired' ? 'denied' : 'ok',
          payload: { request: id, state: change.state, detail: change.detail, approval: change.approval },
        };
        // About to be done: not without a trace.
        if (change.state === 'running') await audit.append(note);
        const isMoved = await requests.move(id, from, change);
        if (isMoved && change.state !== 'running') audit.note(note);
        return isMoved;
      },
    },
    policyTexts: {
      ...policyTexts,
      async save(text) {
        const { digest, files, state, reason, approval } = text;
        const note: AuditNote = {
          actor,
          action: 'policy.changed',
          resource: `policy/${digest}`,
          subsystem: 'governance',
          result: state === 'refused' ? 'denied' : state === 'waiting' ? 'partial' : 'ok',
          payload: { state, reason, approval, files: files.map(({ name }) => name) },
        };
        const known = await policyTexts.get(digest);
        if (known?.state !== state && state !== 'past') {
          if (known === null && (await policyTexts.inForce()) === null) audit.note(note);
          else if (state === 'in_force') await audit.append(note);
          else audit.note(note);
        }
        await policyTexts.save(text);
      },
    },
    tierChanges: {
      ...tierChanges,
      async save(change) {
        const { playbook, hash, kind, from, to, by, reason } = change;
        const note: AuditNote = {
          actor: by === 'grace' ? 'grace' : actorOf(by),
          action: kind === 'promoted' ? 'playbook.promoted' : 'playbook.demoted',
          resource: `playbook/${playbook}`,
          subsystem: 'governance',
          result: 'ok',
          payload: { hash, from, to, reason },
        };
        // Less trust holds whatever the log does; more trust is not given without a trace.
        if (kind === 'promoted') await audit.append(note);
        else audit.note(note);
        await tierChanges.save(change);
      },
    },
    groupingRules: {
      ...groupingRules,
      async save(rule, patterns) {
        const { id, kind, signature, by, reason, takenBack } = rule;
        const about = { id, kind, signature, reason, ...(kind === 'merge' ? { into: rule.into } : { part: rule.part }) };
        await audit.append({
          actor: actorOf(takenBack?.by ?? by),
          action: takenBack === null ? 'grouping.rule_made' : 'grouping.rule_taken_back',
          resource: `grouping/${id}`,
          subsystem: 'incidents',
          result: 'ok',
          payload: about,
        });
        await groupingRules.save(rule, patterns);
      },
    },
    playbooks: {
      ...playbooks,
      async save(playbook) {
        const before = await playbooks.get(playbook.name);
        const { name, version, hash, file, origin, risk, tier, isEnabled } = playbook;
        const entry = {
          actor,
          resource: `playbook/${name}`,
          subsystem: 'playbooks',
          result: 'ok',
          payload: { version, hash, file, origin, risk, tier, enabled: isEnabled },
        };
        if (before === null) audit.note({ ...entry, action: 'playbook.registered' });
        else {
          if (before.hash !== hash) audit.note({ ...entry, action: 'playbook.edited' });
          if (before.isEnabled !== isEnabled)
            await audit.append({ ...entry, action: isEnabled ? 'playbook.enabled' : 'playbook.disabled' });
        }
        await playbooks.save(playbook);
      },
    },
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

function momentOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
