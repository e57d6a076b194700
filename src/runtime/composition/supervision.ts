import { nodeClock } from '../../adapters/node/clock.ts';
import { nodeFiles } from '../../adapters/node/files.ts';
import { nodeIds } from '../../adapters/node/ids.ts';
import { nodeSpawner } from '../../adapters/node/spawner.ts';
import { nodeProber } from '../../adapters/probes/prober.ts';
import { BOOT_PLANS } from '../../domains/boot/index.ts';
import { Supervision, type Healer, type SupervisionPorts } from '../../domains/healing/index.ts';
import type { Redactor } from '../../domains/incidents/index.ts';
import type { LastGoodKeeper } from '../../domains/learning/index.ts';
import type { BootId, Spawner } from '../../kernel/index.ts';
import type { GraceConfig } from '../config/index.ts';
import { knowledge } from '../load-knowledge.ts';
import type { Memory } from './memory.ts';

export interface SupervisionOptions extends Pick<SupervisionPorts, 'caseFile' | 'emit' | 'host' | 'launchOf' | 'logger' | 'view'> {
  readonly config: Pick<GraceConfig, 'boot' | 'components' | 'dependencyWaits' | 'projectDir' | 'smoke'>;
  readonly bootId: BootId;
  readonly isDryRun: boolean;
  readonly memory: Pick<Memory, 'processes' | 'repos'>;
  readonly redactor: Redactor;
  readonly lastGood: LastGoodKeeper;
  readonly healer: Healer;
  /** Runs the commands of probes. */
  readonly spawner: Spawner;
  readonly signal: AbortSignal;
}

/** Files looked at several times a second while somebody is waited for. */
const SUSPECTS_WATCHED_MAX = 20;
const DEPENDENCY_START_MS = 60_000;

/** What keeps the components up, by the plan of this boot. */
export function composeSupervision(options: SupervisionOptions): Supervision {
  const { config, memory, redactor, lastGood } = options;
  const { caseFile, emit, host, launchOf, logger, view } = options;
  const { repos } = memory;
  const plan = BOOT_PLANS[config.boot.mode];
  return new Supervision(
    {
      clock: nodeClock,
      ids: nodeIds,
      files: nodeFiles,
      spawner: nodeSpawner,
      logger,
      host,
      view,
      prober: nodeProber(nodeClock, nodeFiles, options.spawner),
      processes: memory.processes,
      approvals: repos.approvals,
      limits: repos.limits,
      playbooks: repos.playbooks,
      capture: {
        clock: nodeClock,
        ids: nodeIds,
        files: nodeFiles,
        redactor,
        readFacts: async (lines) => (await knowledge()).readFacts(lines),
        incidents: repos.incidents,
        groupingRules: repos.groupingRules,
        templates: repos.templates,
      },
      knowledge,
      emit,
      launchOf,
      async suspectFiles(spec) {
        const differing = (await lastGood.drift(spec, [])).filter((d) => d.subject.startsWith('/'));
        return differing.slice(0, SUSPECTS_WATCHED_MAX).map((d) => d.subject);
      },
      async usualStartMs(name) {
        const known = (await repos.boots.lastVerified())?.report.components.find((c) => c.name === name);
        return known === undefined || known.readyAfterMs === null || known.state !== 'ready'
          ? null
          : known.readyAfterMs - known.startedAfterMs;
      },
      caseFile,
    },
    {
      bootId: options.bootId,
      components: config.components,
      smoke: config.smoke,
      projectDir: config.projectDir,
      maxHealingAttempts: plan.heals ? config.boot.maxHealingAttempts : 0,
      hold: plan.holds ? config.boot.hold : 'never',
      isDryRun: options.isDryRun,
      dependencyStartMs: (name) => config.dependencyWaits.get(name)?.startTimeoutMs ?? DEPENDENCY_START_MS,
      dependencyWaitMs: (name) => config.dependencyWaits.get(name)?.waitForMs ?? null,
    },
    options.healer,
    options.signal,
  );
}
