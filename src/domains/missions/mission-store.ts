import type { Mission } from './mission.ts';

export interface MissionStore {
  get(id: string): Promise<Mission | null>;
  /** Newest first. */
  list(limit: number): Promise<readonly Mission[]>;
  /** Open ones, and abandoned ones whose finding was still there when it was last looked for. */
  standing(): Promise<readonly Mission[]>;
  /**
   * @param was  how it stood when it was read; null for a new one
   * @returns    false when it stands otherwise by now, since a person or a look was faster: then nothing is saved
   */
  save(mission: Mission, was: Mission['state'] | null): Promise<boolean>;
}
