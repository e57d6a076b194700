import type { AuditAction } from '../domains/audit/index.ts';
import type {
  Approval,
  Breaker,
  ModeChange,
  PersonRequest,
  PolicyText,
  RecordedDecision,
  TierChange,
} from '../domains/governance/index.ts';
import type { GraceEvent } from '../domains/healing/index.ts';
import type { Failure, GroupingRule, Pattern } from '../domains/incidents/index.ts';
import type { Mission } from '../domains/missions/index.ts';
import type { JournalEntry, PlaybookRun, RegisteredPlaybook, RunState } from '../domains/playbooks/index.ts';
import type { JsonObject } from '../kernel/index.ts';
import { actorOf, type AuditNote } from './audit.ts';

// How what Grace knows is told in the log: pure.

export function decisionNote(d: RecordedDecision): AuditNote {
  return {
    actor: d.actorKind === 'grace' ? 'grace' : actorOf(d.actor),
    action: 'decision.made',
    resource: d.component === '' ? `${d.action}/${d.subject}` : `component/${d.component}`,
    subsystem: 'governance',
    result: d.verdict === 'allow' || d.verdict === 'allow_with_notice' ? 'ok' : 'denied',
    payload: {
      decision: d.id,
      about: d.action,
      subject: d.subject,
      verdict: d.verdict,
      reason: d.reason,
      policies: d.policies,
      approval: d.approval,
      asked: d.asked,
    },
  };
}

export function answerNote(d: RecordedDecision): AuditNote {
  return {
    actor: d.actorKind === 'grace' ? 'grace' : actorOf(d.actor),
    action: 'approval.answered',
    resource: `approval/${d.subject}`,
    subsystem: 'governance',
    result: d.verdict === 'refused' ? 'denied' : 'ok',
    payload: { decision: d.id, answer: d.verdict, reason: d.reason, component: d.component, asked: d.asked },
  };
}

export function approvalNote(a: Approval, actor: string): AuditNote {
  return {
    actor: a.requestedBy === null ? actor : actorOf(a.requestedBy),
    action: 'approval.asked',
    resource: `approval/${a.id}`,
    subsystem: 'governance',
    result: 'ok',
    payload: {
      about: a.action,
      subject: a.playbook,
      component: a.component,
      incident: a.incidentId,
      would_do: a.summary,
      required: a.requiredApprovals,
      binding: a.bindingHash,
    },
  };
}

export function breakerNote(b: Breaker): AuditNote {
  const isClosed = b.closedAtMs !== null;
  // Grace itself ends nothing but storms; a person who has its name is stored as `user:grace`.
  const byGrace = b.closedBy === null || (b.kind === 'storm' && b.closedBy === 'grace');
  return {
    actor: byGrace ? 'grace' : actorOf(b.closedBy),
    action: isClosed ? 'limit.breaker_closed' : 'limit.breaker_opened',
    resource: `breaker/${b.id}`,
    subsystem: 'governance',
    result: 'ok',
    payload: { kind: b.kind, playbook: b.playbook, component: b.component, reason: isClosed ? b.closeReason : b.reason },
  };
}

export function missionNote(m: Mission): AuditNote {
  return {
    actor: m.state === 'abandoned' ? actorOf(m.closedBy ?? 'nobody') : 'grace',
    action: ({ open: 'mission.opened', verified: 'mission.verified', abandoned: 'mission.abandoned' } as const)[m.state],
    resource: `mission/${m.id}`,
    subsystem: 'missions',
    result: 'ok',
    payload: { component: m.component, code: m.code, severity: m.severity, message: m.message, reason: m.closeReason },
  };
}

export function expiryNote(a: Approval): AuditNote {
  return {
    actor: 'grace',
    action: 'approval.expired',
    resource: `approval/${a.id}`,
    subsystem: 'governance',
    result: 'denied',
    payload: { about: a.action, subject: a.playbook, component: a.component, required: a.requiredApprovals, approved_by: a.approvedBy },
  };
}

export function modeNote({ by, mode, reason, untilMs, fallback, claimedName }: ModeChange): AuditNote {
  return {
    actor: actorOf(by),
    action: 'mode.set',
    resource: 'grace/mode',
    subsystem: 'governance',
    result: 'ok',
    payload: { mode, reason, until: untilMs === null ? null : new Date(untilMs).toISOString(), fallback, claimed_name: claimedName },
  };
}

export function requestNote(r: PersonRequest, actor: string): AuditNote {
  const { id, component, by, claimedName, reason, state, detail, approval } = r;
  const about = { resource: `component/${component}`, subsystem: 'supervision' };
  if (state === 'asked')
    return {
      ...about,
      actor: actorOf(by),
      action: 'restart.asked',
      result: 'ok',
      payload: { request: id, reason, claimed_name: claimedName },
    };
  return {
    ...about,
    actor,
    action: 'restart.answered',
    result: state === 'failed' ? 'failed' : state === 'refused' || state === 'expired' ? 'denied' : 'ok',
    payload: { request: id, state, detail, approval },
  };
}

export function policyNote({ digest, files, state, reason, approval }: PolicyText, actor: string): AuditNote {
  return {
    actor,
    action: 'policy.changed',
    resource: `policy/${digest}`,
    subsystem: 'governance',
    result: state === 'refused' ? 'denied' : state === 'waiting' ? 'partial' : 'ok',
    payload: { state, reason, approval, files: files.map(({ name }) => name) },
  };
}

export function tierNote({ playbook, hash, kind, from, to, by, reason }: TierChange): AuditNote {
  return {
    // Only a person promotes, and only Grace demotes: no name can say otherwise.
    actor: kind === 'demoted' ? 'grace' : actorOf(by),
    action: kind === 'promoted' ? 'playbook.promoted' : 'playbook.demoted',
    resource: `playbook/${playbook}`,
    subsystem: 'governance',
    result: 'ok',
    payload: { hash, from, to, reason },
  };
}

export function groupingNote(rule: GroupingRule): AuditNote {
  const { id, kind, signature, by, reason, takenBack } = rule;
  const claimedName = (takenBack ?? rule).claimedName ?? null;
  return {
    // Grace makes rules and never takes one back; a person who has its name is stored as `user:grace`.
    actor: takenBack === null && by === 'grace' ? by : actorOf(takenBack?.by ?? by),
    action: takenBack === null ? 'grouping.rule_made' : 'grouping.rule_taken_back',
    resource: `grouping/${id}`,
    subsystem: 'incidents',
    result: 'ok',
    payload: { id, kind, signature, reason, ...(kind === 'merge' ? { into: rule.into } : { part: rule.part }), claimed_name: claimedName },
  };
}

/** @param before  as the store knew it; null for a new one */
export function playbookNotes(before: RegisteredPlaybook | null, now: RegisteredPlaybook, actor: string): readonly AuditNote[] {
  const { name, version, hash, file, origin, risk, tier, isEnabled } = now;
  const about = {
    actor,
    resource: `playbook/${name}`,
    subsystem: 'playbooks',
    result: 'ok',
    payload: { version, hash, file, origin, risk, tier, enabled: isEnabled },
  };
  if (before === null) return [{ ...about, action: 'playbook.registered' }];
  return [
    ...(before.hash === hash ? [] : [{ ...about, action: 'playbook.edited' as const, payload: { ...about.payload, before: before.hash } }]),
    ...(before.isEnabled === isEnabled
      ? []
      : [{ ...about, action: isEnabled ? ('playbook.enabled' as const) : ('playbook.disabled' as const) }]),
  ];
}

export function failureNote(f: Failure): AuditNote {
  return {
    actor: 'grace',
    action: 'failure.captured',
    resource: `component/${f.component}`,
    subsystem: 'incidents',
    result: 'failed',
    payload: {
      failure: f.id,
      boot: f.bootId,
      stage: f.stage,
      symptom: f.symptom,
      message: f.message,
      headline: f.headline,
      exit_code: f.exitCode,
      signal: f.signal,
      family: f.family,
      signature: f.signature,
    },
  };
}

const STEP_ACTIONS = {
  planned: 'run.step_planned',
  done: 'run.step_done',
  failed: 'run.step_failed',
  undone: 'run.step_undone',
} as const;

/** What was there before stays in the journal: it may be whole files. */
export function stepNote({ runId, index, step, primitive, params, targets, state, summary }: JournalEntry, actor: string): AuditNote {
  return {
    actor,
    action: STEP_ACTIONS[state],
    resource: `run/${runId}`,
    subsystem: 'playbooks',
    result: state === 'failed' ? 'failed' : 'ok',
    payload: { index, step, primitive, params, targets, summary },
  };
}

export interface RunTold {
  readonly run: PlaybookRun;
  readonly why: string | undefined;
  readonly before: RunState | null;
  readonly failure: Failure | null;
  readonly pattern: Pattern | null;
  readonly steps: readonly JournalEntry[];
  readonly actor: string;
}

const RESULT: Readonly<Record<RunState, string>> = {
  running: 'ok',
  applied: 'ok',
  verified: 'ok',
  relapsed: 'failed',
  inconclusive: 'partial',
  undoing: 'ok',
  undone: 'failed',
  failed: 'failed',
  refused: 'denied',
  interrupted: 'failed',
};

/** Ends that can still be followed by another one. */
const ENDED: readonly RunState[] = ['verified', 'relapsed', 'inconclusive', 'undone', 'failed', 'interrupted'];

/** A run that has come to another state; where that is its end, the whole cycle in one entry [AH-6]. */
export function runNote({ run, why, before, failure, pattern, steps, actor }: RunTold): AuditNote {
  const { id, playbook, hash, component, bootId, scope, state, decision, startedAtMs, endedAtMs } = run;
  const entry = { actor, subsystem: 'playbooks', result: RESULT[state] };
  const about = { run: id, playbook, hash, boot: bootId, scope };
  if (state === 'running' || state === 'applied' || state === 'undoing' || state === 'refused')
    return {
      ...entry,
      action: ({ running: 'run.started', applied: 'run.applied', undoing: 'run.undo_started', refused: 'run.refused' } as const)[state],
      resource: `component/${component}`,
      payload: { ...about, decision, ...(why === undefined ? {} : { reason: why }) },
    };
  return {
    ...entry,
    action: before !== null && ENDED.includes(before) ? 'run.outcome_revised' : 'complete_healing_cycle',
    resource: `component/${component}`,
    payload: {
      ...about,
      anomaly:
        failure === null
          ? null
          : {
              failure: failure.id,
              incident: pattern?.incidentId ?? null,
              signature: failure.signature,
              symptom: failure.symptom,
              stage: failure.stage,
              message: failure.message,
              cause: pattern?.rootCause ?? null,
            },
      execution: {
        decision,
        duration_ms: endedAtMs === null ? null : endedAtMs - startedAtMs,
        steps: steps.map(({ step, primitive, state: ended, summary }) => ({ step, primitive, state: ended, summary })),
      },
      verification: {
        before: failure === null ? null : { check: failure.symptom, passed: false, message: failure.message },
        after: {
          passed: state === 'verified' ? true : state === 'inconclusive' || state === 'interrupted' ? null : false,
          detail: why ?? '',
        },
      },
      outcome: state,
    },
  };
}

/** Starts of components that are not their first one in this Grace: what came before each, and how it ended. */
export function restartNotes(): (event: GraceEvent) => AuditNote | null {
  const started = new Set<string>();
  const restarting = new Set<string>();
  const why = new Map<string, string>();
  return (event) => {
    switch (event.type) {
      case 'component_starting': {
        const { component, attempt } = event;
        const reason = why.get(component) ?? 'it was stopped to be started anew';
        why.delete(component);
        if (!started.has(component)) {
          started.add(component);
          return null;
        }
        restarting.add(component);
        return restartNote('restart.begun', component, 'ok', { reason, attempt });
      }
      case 'component_ready': {
        const { component, tookMs } = event;
        return restarting.delete(component) ? restartNote('restart.ended', component, 'ok', { took_ms: tookMs }) : null;
      }
      case 'component_failed': {
        const { component, symptom, message } = event;
        why.set(component, message);
        return restarting.delete(component) ? restartNote('restart.ended', component, 'failed', { symptom, reason: message }) : null;
      }
      default:
        return null;
    }
  };
}

function restartNote(action: AuditAction, component: string, result: 'ok' | 'failed', payload: JsonObject): AuditNote {
  return { actor: 'grace', action, resource: `component/${component}`, subsystem: 'supervision', result, payload };
}

/** What is not in the store, and is told as it happens; null for all that is told elsewhere. */
export function eventNote(event: GraceEvent, boot: string): AuditNote | null {
  switch (event.type) {
    case 'boot_started':
      return {
        actor: 'grace',
        action: 'boot.started',
        resource: `boot/${event.boot}`,
        subsystem: 'boot',
        result: 'ok',
        payload: { service: event.service, mode: event.mode, components: event.components },
      };
    case 'stage_ended':
      return {
        actor: 'grace',
        action: 'boot.stage_ended',
        resource: `boot/${boot}`,
        subsystem: 'boot',
        result: event.result === 'failed' ? 'failed' : event.result === 'warned' ? 'partial' : 'ok',
        payload: {
          number: event.number,
          stage: event.stage,
          stage_result: event.result,
          duration_ms: event.durationMs,
          detail: event.detail,
        },
      };
    case 'mode_changed':
      return {
        actor: 'grace',
        action: 'mode.in_force',
        resource: 'grace/mode',
        subsystem: 'governance',
        result: 'ok',
        payload: { mode: event.mode, before: event.before, by: event.by, reason: event.reason },
      };
    case 'playbook_chosen':
      if (event.verdict !== 'deny' || !(event.policies[0] ?? '').startsWith('limit.')) return null;
      return {
        actor: 'grace',
        action: 'limit.reached',
        resource: `component/${event.component}`,
        subsystem: 'governance',
        result: 'denied',
        payload: { limit: event.policies[0] ?? '', playbook: event.playbook, reason: event.reason },
      };
    default:
      return null;
  }
}
