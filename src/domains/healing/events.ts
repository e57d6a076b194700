import type { Risk, AutonomyTier, Mode } from '../governance/index.ts';
import type { SuggestedCommand } from '../incidents/index.ts';
import type { Finding } from '../preflight/index.ts';

/** What happens while Grace boots, watches and heals: the live view, `--json` and the log are made of these. Redacted. */
export type GraceEvent =
  | {
      readonly type: 'boot_started';
      readonly boot: string;
      readonly service: string;
      readonly mode: string;
      readonly components: readonly string[];
    }
  | { readonly type: 'stage_started'; readonly number: number; readonly stage: string }
  | {
      readonly type: 'stage_ended';
      readonly number: number;
      readonly stage: string;
      readonly result: 'success' | 'failed' | 'warned' | 'skipped';
      readonly durationMs: number;
      readonly detail: string;
    }
  /** A finding that no playbook may mend waits for people from now on. */
  | {
      readonly type: 'mission_opened';
      readonly mission: string;
      readonly component: string;
      readonly code: string;
      readonly message: string;
    }
  /** A later look did not find it any more. */
  | {
      readonly type: 'mission_closed';
      readonly mission: string;
      readonly component: string;
      readonly code: string;
      readonly message: string;
    }
  /** One whole pre-flight while the service runs is over. */
  | {
      readonly type: 'validation_ended';
      readonly durationMs: number;
      readonly checks: number;
      readonly findings: number;
      readonly fixed: readonly string[];
      readonly missions: number;
    }
  | {
      readonly type: 'layer_ended';
      readonly number: number;
      readonly layer: string;
      readonly state: 'ok' | 'degraded' | 'failed';
      readonly durationMs: number;
      readonly reasons: readonly string[];
    }
  | { readonly type: 'finding'; readonly stage: string; readonly finding: Finding }
  | { readonly type: 'component_starting'; readonly component: string; readonly attempt: number }
  | { readonly type: 'component_waiting'; readonly component: string; readonly on: string; readonly text: string }
  | {
      readonly type: 'component_ready';
      readonly component: string;
      readonly tookMs: number;
      readonly pid: number | null;
      readonly port: number | null;
      readonly adopted: boolean;
    }
  | { readonly type: 'component_failed'; readonly component: string; readonly symptom: string; readonly message: string }
  | { readonly type: 'component_skipped'; readonly component: string; readonly reason: string }
  | { readonly type: 'component_stopped'; readonly component: string; readonly killed: boolean }
  | { readonly type: 'component_restarting'; readonly component: string; readonly delayMs: number; readonly reason: string }
  | {
      readonly type: 'diagnosed';
      readonly component: string;
      readonly incident: string;
      readonly known: boolean;
      readonly family: string;
      readonly cause: string;
      readonly evidence: readonly string[];
      readonly advice: readonly string[];
      readonly confidence: number;
    }
  | {
      readonly type: 'playbook_chosen';
      readonly component: string;
      readonly playbook: string;
      readonly generated: boolean;
      readonly file: string;
      readonly risk: Risk;
      readonly tier: AutonomyTier;
      readonly verdict: string;
      readonly reason: string;
      /** Ids of those that decided. */
      readonly policies: readonly string[];
    }
  | {
      readonly type: 'step';
      readonly component: string;
      readonly playbook: string;
      readonly step: string;
      readonly state: 'start' | 'progress' | 'done' | 'nothing_to_do' | 'failed';
      readonly summary: string;
    }
  | {
      readonly type: 'snapshot_taken';
      readonly component: string;
      readonly snapshot: string;
      readonly playbook: string;
      readonly items: number;
    }
  | { readonly type: 'playbook_verified'; readonly component: string; readonly playbook: string; readonly incident: string }
  | {
      readonly type: 'playbook_failed';
      readonly component: string;
      readonly playbook: string;
      readonly reason: string;
      readonly undone: boolean;
    }
  | {
      readonly type: 'playbook_inconclusive';
      readonly component: string;
      readonly playbook: string;
      readonly incident: string;
      readonly reason: string;
    }
  | {
      readonly type: 'undo_failed';
      readonly component: string;
      readonly playbook: string;
      readonly run: string;
      /** What is not as it was, in words. */
      readonly left: readonly string[];
    }
  | {
      readonly type: 'breaker_opened';
      readonly breaker: string;
      readonly component: string;
      readonly playbook: string;
      readonly reason: string;
    }
  | {
      readonly type: 'playbook_demoted';
      readonly playbook: string;
      readonly from: AutonomyTier;
      readonly to: AutonomyTier;
      readonly reason: string;
    }
  | {
      readonly type: 'shadow_scored';
      readonly component: string;
      readonly playbook: string;
      readonly record: string;
      readonly score: string;
      readonly evidence: readonly string[];
    }
  | { readonly type: 'storm'; readonly breaker: string; readonly components: readonly string[]; readonly reason: string }
  | { readonly type: 'storm_over'; readonly breaker: string }
  | {
      readonly type: 'approval_needed';
      readonly component: string;
      readonly playbook: string;
      readonly approval: string;
      readonly reason: string;
    }
  | {
      readonly type: 'approval_expiring';
      readonly component: string;
      readonly playbook: string;
      readonly approval: string;
      readonly expiresAtMs: number;
    }
  | {
      readonly type: 'learned_from_person';
      readonly component: string;
      readonly incident: string;
      readonly cause: string;
      readonly did: readonly string[];
      readonly playbook: string | null;
      readonly approval: string | null;
    }
  | {
      readonly type: 'mode_changed';
      readonly mode: Mode;
      readonly before: Mode;
      readonly by: string;
      readonly reason: string;
      readonly untilMs: number | null;
    }
  | {
      readonly type: 'policy_changed';
      readonly state: 'in_force' | 'waiting' | 'refused';
      readonly digest: string;
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly reason: string;
      readonly approval: string | null;
    }
  | { readonly type: 'held'; readonly component: string; readonly cause: string; readonly waitingFor: string }
  | { readonly type: 'notice'; readonly level: 'info' | 'warn' | 'error'; readonly text: string }
  | {
      readonly type: 'person_needed';
      readonly component: string;
      readonly incident: string;
      readonly advice: readonly string[];
      readonly commands: readonly SuggestedCommand[];
      /** The newest signed head of the audit log, so that whoever is called holds one too; null before the first. */
      readonly audit?: string | null;
    }
  | { readonly type: 'boot_ended'; readonly boot: string; readonly outcome: string; readonly durationMs: number; readonly report: string };

export type Emit = (event: GraceEvent) => void;
