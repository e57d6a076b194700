export type Risk = 'low' | 'medium' | 'high' | 'critical';
/** tier_1 runs, tier_2 runs with notice, tier_3 needs one approval, tier_4 a quorum: the shipped policies say so. */
export type AutonomyTier = 'tier_1' | 'tier_2' | 'tier_3' | 'tier_4';
/** Where an action would happen: boot acts within tier policy, run time only observes unless told otherwise [GV-4]. */
export type Phase = 'boot' | 'runtime';
