import type { AppliedRun } from './applied-runs.ts';
import type { CarriedRuns } from './carried-runs.ts';
import type { FailureDesk } from './failure-desk.ts';
import type { Healer } from './healer.ts';
import type { Hold } from './hold.ts';
import type { SmokeChecks } from './smoke-checks.ts';
import type { StormWatch } from './storm-watch.ts';
import type { SupervisedComponents } from './supervised-components.ts';
import type { SupervisionPorts, SupervisionSettings } from './supervision-ports.ts';

/** What those who look after the components of one service share. Each of them says which of it it needs. */
export interface SupervisionParts {
  readonly ports: SupervisionPorts;
  readonly settings: SupervisionSettings;
  readonly healer: Healer;
  readonly components: SupervisedComponents;
  readonly smoke: SmokeChecks;
  readonly desk: FailureDesk;
  readonly carried: CarriedRuns;
  readonly storms: StormWatch;
  readonly hold: Hold;
  /** Playbooks that ran and are not proven yet. */
  readonly unconfirmed: AppliedRun[];
  /** `component: playbook` of every fix that was not undone, oldest first. */
  readonly fixes: string[];
  /** Ends with the session. */
  readonly signal: AbortSignal;
}
