import { nodeClock } from '../../adapters/node/clock.ts';
import { nodeFiles } from '../../adapters/node/files.ts';
import { nodeIds } from '../../adapters/node/ids.ts';
import { EarnedAutonomy, Healer, Shadow, type Emit, type HealerPorts, type PolicyPorts } from '../../domains/healing/index.ts';
import type { Redactor } from '../../domains/incidents/index.ts';
import type { LastGoodKeeper } from '../../domains/learning/index.ts';
import type { HostView } from '../../domains/playbooks/index.ts';
import type { ComponentRunner } from '../../domains/supervisor/index.ts';
import { messageOf, type BootId, type Logger, type Spawner } from '../../kernel/index.ts';
import type { GraceConfig } from '../config/index.ts';
import type { Governance } from '../governance.ts';
import { knowledge } from '../load-knowledge.ts';
import { Lookback, type LookbackOptions } from '../lookback.ts';
import type { ComponentLaunches } from './component-launches.ts';
import type { Memory } from './memory.ts';

export interface HealingOptions extends Pick<HealerPorts, 'caseFile' | 'library' | 'primitiveContext' | 'snapshots'> {
  readonly config: Pick<GraceConfig, 'components' | 'environment' | 'healing' | 'playbooksDir' | 'projectDir'>;
  readonly bootId: BootId;
  readonly memory: Pick<Memory, 'failedStates' | 'repos' | 'snapshots'>;
  readonly governance: Governance;
  readonly emit: Emit;
  readonly logger: Logger;
  readonly redactor: Redactor;
  /** The environment of the person who started Grace. */
  readonly caller: Readonly<Record<string, string>>;
  readonly launchOf: ComponentLaunches['launchOf'];
  /** What looks at the world; what fixes run has spawners of its own. */
  readonly spawner: Spawner;
  readonly view: HostView;
  readonly lastGood: LastGoodKeeper;
  readonly digest: (text: string) => string;
  readonly schemaOutline: LookbackOptions['schemaOutline'];
  runners(): ReadonlyMap<string, ComponentRunner>;
}

/** From a failure to what is done about it: what changed, what may be done, and who does it. */
export interface Healing {
  /** What is decided by. */
  readonly policyPorts: PolicyPorts;
  readonly shadow: Shadow;
  readonly lookback: Lookback;
  readonly healer: Healer;
}

export function composeHealing(options: HealingOptions): Healing {
  const { config, memory, governance, emit, logger, redactor, view, lastGood, digest, launchOf, runners } = options;
  const { caseFile, library, primitiveContext, snapshots } = options;
  const { repos } = memory;
  const clock = nodeClock;
  const ids = nodeIds;
  const files = nodeFiles;
  const autonomy = new EarnedAutonomy({ ...repos, clock, ids, emit });
  const shadow = new Shadow({
    ...repos,
    clock,
    ids,
    logger,
    files,
    emit,
    knowledge,
    primitiveContext,
    launchedAtMs: (name) => runners().get(name)?.process?.launchedAtMs ?? null,
  });
  const policyPorts: PolicyPorts = {
    policy: governance.policy,
    mode: () => governance.mode(),
    executeAtRuntime: config.healing.executeAtRuntime,
    environment: config.environment,
    effectiveTier: autonomy.effectiveTier.bind(autonomy),
  };
  const lookback = new Lookback({
    ...policyPorts,
    ...repos,
    clock,
    ids,
    files,
    spawner: options.spawner,
    logger,
    redactor,
    view,
    lastGood,
    components: config.components,
    projectDir: config.projectDir,
    bootId: options.bootId,
    caller: options.caller,
    digest,
    launchOf,
    schemaOutline: options.schemaOutline,
    library,
    knowledge,
    emit,
    failedStates: memory.failedStates,
    snapshots: memory.snapshots,
    launchedAtMs: (name) => {
      const handle = runners().get(name)?.process ?? null;
      return handle === null || handle.wasAdopted ? null : handle.launchedAtMs;
    },
  });
  const healer = new Healer({
    clock,
    ids,
    logger,
    incidents: repos.incidents,
    playbooks: repos.playbooks,
    approvals: repos.approvals,
    decisions: repos.decisions,
    journal: repos.journal,
    limits: repos.limits,
    limitSettings: config.healing.limits,
    snapshots,
    library,
    knowledge,
    emit,
    ...policyPorts,
    projectDir: config.projectDir,
    caseFile,
    whatChanged: (captured, c) => lookback.whatChanged(captured, c),
    recordFailure: async (playbook, captured, spec, steps, diagnosis) => {
      try {
        const { keepRecordedFailure } = await import('../authoring/record-failure.ts');
        const ports = { files, lastGood, redactor, projectDir: config.projectDir };
        await keepRecordedFailure({ playbook, captured, spec, steps, diagnosis }, ports, config.playbooksDir);
      } catch (error) {
        logger.warn('the failure could not be recorded for the test of its playbook', { playbook, error: messageOf(error) });
      }
    },
    primitiveContext,
    shadow,
    autonomy,
  });
  return { policyPorts, shadow, lookback, healer };
}
