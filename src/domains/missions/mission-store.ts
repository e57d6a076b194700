import type { Mission } from './mission.ts';

export interface MissionStore {
  get(id: string): Promise<Mission | null>;
  /** Newest first. */
  list(limit: number): Promise<readonly Mission[]>;
  /** Open ones, and abandoned ones whose finding was still there when it was last looked for. */
  standing(): Promise<readonly Mission[]>;
  save(mission: Mission): Promise<void>;
}
