// Missions: what is wrong and no playbook may mend. Opened by what finds it, closed when it is gone or a person drops it.
export { missionKey, type Mission } from './mission.ts';
export type { MissionStore } from './mission-store.ts';
export { reconcileMissions, type MissionChanges, type Unseen } from './reconcile-missions.ts';
