import { filesTouched, gitRoot } from '../../adapters/node/git.ts';
import { nodeFiles } from '../../adapters/node/files.ts';
import { gitWorkTrees } from '../../adapters/node/git-work-trees.ts';
import type { BootStore } from '../../domains/boot/index.ts';
import type { HealerPorts } from '../../domains/healing/index.ts';
import type { Redactor } from '../../domains/incidents/index.ts';
import { fingerprintFrom, releaseState, type LastGoodKeeper, type ReleaseState } from '../../domains/learning/index.ts';
import type { HostView, Overrides } from '../../domains/playbooks/index.ts';
import type { ComponentRunner } from '../../domains/supervisor/index.ts';
import type { BootId, Spawner } from '../../kernel/index.ts';
import type { GraceConfig } from '../config/index.ts';
import type { ComponentLaunches } from './component-launches.ts';

export interface CaseFilesOptions {
  readonly config: Pick<GraceConfig, 'components' | 'projectDir' | 'boot'>;
  readonly bootId: BootId;
  readonly boots: Pick<BootStore, 'list'>;
  readonly overrides: Overrides;
  readonly environmentOf: ComponentLaunches['environmentOf'];
  readonly lastGood: LastGoodKeeper;
  readonly view: HostView;
  /** Runs git. */
  readonly spawner: Spawner;
  readonly redactor: Redactor;
  runners(): ReadonlyMap<string, ComponentRunner>;
}

/** Past boots that are looked at for the last good one; more failures in a row than this are not counted. */
const BOOTS_LOOKED_AT = 60;
const GIT_MS = 10_000;

/** Everything that a family may look at, gathered for each failure anew. */
export function caseFiles(options: CaseFilesOptions): HealerPorts['caseFile'] {
  const { config, overrides, environmentOf, lastGood, view, runners } = options;
  return async (captured, component, attempts) => ({
    failure: captured.failure,
    component,
    components: config.components,
    env: await environmentOf(component),
    overrides: await overrides.get(component.name),
    drift: await lastGood.drift(component, captured.failure.output),
    host: view,
    files: nodeFiles,
    lastGood,
    attempts,
    release: await presentRelease(options),
    runsAs: runners().get(component.name)?.runsAs ?? null,
  });
}

/** The release of the last good boot, and how that of now differs; null where nobody wants to go back, or nothing was good yet. */
async function presentRelease(options: CaseFilesOptions): Promise<ReleaseState | null> {
  const { config, spawner, redactor } = options;
  if (config.boot.rollbackAfter === 0) return null;
  const boots = (await options.boots.list(BOOTS_LOOKED_AT)).map((b) => ({
    ...b,
    commit: fingerprintFrom(b.fingerprint).parts.git?.['commit'] || null,
  }));
  const good = releaseState(boots, options.bootId, config.boot.rollbackAfter);
  if (good === null) return null;
  const dir = [config.projectDir, ...config.components.map((c) => c.cwd)].find((d) => gitRoot(d) !== null);
  const workTrees = gitWorkTrees(spawner, (text) => redactor.redact(text));
  const tree = good.commit === null || dir === undefined ? null : await workTrees.look(dir);
  const commitNow = tree === null || typeof tree === 'string' || tree.commit.startsWith(good.commit ?? '') ? null : tree.commit;
  const touched = commitNow === null || dir === undefined ? null : await filesTouched(dir, good.commit ?? '', commitNow, spawner, GIT_MS);
  return { ...good, commitNow, touched: touched ?? [] };
}
