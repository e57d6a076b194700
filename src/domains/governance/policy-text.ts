import { sha256Hex } from '../../kernel/index.ts';

/** A policy file of the user, as it was read. */
export interface PolicySource {
  readonly name: string;
  readonly text: string;
}

/** The user's own policies as they were at one start. */
export interface PolicyText {
  /** See `policyDigest`. */
  readonly digest: string;
  readonly files: readonly PolicySource[];
  /** `waiting`: people have not agreed yet; `refused`: those in force forbid it; `past`: another took its place. */
  readonly state: 'in_force' | 'waiting' | 'refused' | 'past';
  /** When it came to this state. */
  readonly sinceMs: number;
  /** What was decided about it. */
  readonly reason: string;
  readonly approval: string | null;
}

export interface PolicyTextStore {
  inForce(): Promise<PolicyText | null>;
  get(digest: string): Promise<PolicyText | null>;
  /** Newest first. */
  list(limit: number): Promise<readonly PolicyText[]>;
  /** One that comes into force makes the one before it past, at once or not at all. */
  save(text: PolicyText): Promise<void>;
}

/** Other names, another order or other bytes are other policies. */
export function policyDigest(files: readonly PolicySource[]): string {
  return sha256Hex(JSON.stringify(files.map(({ name, text }) => [name, text])));
}
