import { LAYERS, type Layer } from './layers.ts';

export type BootMode = 'fast' | 'layered' | 'resilient';

/** How a boot goes through its stages, which are the same for all. */
export interface BootPlan {
  /** One step after the other; the stages of one step run side by side. Those that are in no step are left out. */
  readonly steps: readonly (readonly number[])[];
  readonly heals: boolean;
  /** May it wait for a cause to go away, where the config lets it? */
  readonly holds: boolean;
  /** The first component that fails ends the start of the others. */
  readonly stopsAtFirst: boolean;
  /** Borders that the report draws; empty for none. */
  readonly layers: readonly Layer[];
}

export const BOOT_PLANS: Readonly<Record<BootMode, BootPlan>> = {
  /** Everything at once, nothing healed, out at the first error. */
  fast: { steps: [[1], [3], [6], [7], [8]], heals: false, holds: false, stopsAtFirst: true, layers: [] },
  /** Layer by layer: nothing of a layer is started before those below are through. */
  layered: { steps: [[1], [3], [5], [4], [2], [6], [7], [8]], heals: true, holds: true, stopsAtFirst: false, layers: LAYERS },
  /** Stage 5 needs nothing of the service, which therefore starts beside it. */
  resilient: { steps: [[1], [2], [3], [4], [5, 6], [7], [8]], heals: true, holds: true, stopsAtFirst: false, layers: [] },
};
