import type { IncidentId, Signature } from '../../kernel/index.ts';
import { incidentId } from '../../kernel/index.ts';

/**
 * How far Grace is immune against a failure:
 * new (seen, no fix proven) → candidate (a fix was applied) → verified (the fix held) → immune (its guard ran before
 * `IMMUNE_AFTER_BOOTS` boots and the failure did not come back). A recurrence sends it back to candidate.
 */
export type PatternState = 'new' | 'candidate' | 'verified' | 'immune';

/** Clean boots with the guard in place before a pattern counts as immune. */
export const IMMUNE_AFTER_BOOTS = 3;

export interface Pattern {
  readonly signature: Signature;
  readonly incidentId: IncidentId;
  readonly family: string;
  readonly component: string;
  readonly stage: string;
  /** The catalog family that recognised it; null when none did. */
  readonly familyName: string | null;
  readonly template: string;
  readonly rootCause: string;
  readonly occurrences: number;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly state: PatternState;
  readonly playbook: string | null;
  /** Boots in a row that its guard preceded without a recurrence. */
  readonly cleanBoots: number;
}

export type PatternEvent = 'recurred' | 'fix_applied' | 'fix_verified' | 'fix_failed' | 'clean_boot';

/** @returns the state after the event, and the clean boots counted so far */
export function nextPatternState(
  pattern: Pick<Pattern, 'state' | 'cleanBoots'>,
  event: PatternEvent,
): Pick<Pattern, 'state' | 'cleanBoots'> {
  switch (event) {
    case 'recurred':
      return { state: pattern.state === 'new' ? 'new' : 'candidate', cleanBoots: 0 };
    case 'fix_applied':
      return { state: pattern.state === 'new' ? 'candidate' : pattern.state, cleanBoots: 0 };
    case 'fix_verified':
      return { state: 'verified', cleanBoots: 0 };
    case 'fix_failed':
      return { state: 'new', cleanBoots: 0 };
    case 'clean_boot': {
      if (pattern.state !== 'verified' && pattern.state !== 'immune') return pattern;
      const cleanBoots = pattern.cleanBoots + 1;
      return { state: cleanBoots >= IMMUNE_AFTER_BOOTS ? 'immune' : pattern.state, cleanBoots };
    }
  }
}

/** `6. Autonomy Load` → `autonomy_load`. */
export function stageSlug(stage: string): string {
  return (
    stage
      .replace(/^\d+\.\s*/, '')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_')
      .replace(/^_|_$/g, '') || 'runtime'
  );
}

export function incidentIdOf(stage: string, signature: Signature): IncidentId {
  return incidentId(`${stageSlug(stage)}_${signature.slice(0, 8)}`);
}
