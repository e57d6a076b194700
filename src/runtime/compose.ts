import { join } from 'node:path';
import { copyVault, keyedDigest, sealing, vaultKey } from '../adapters/node/copy-vault.ts';
import { nodeClock } from '../adapters/node/clock.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import { gitWorkTrees } from '../adapters/node/git-work-trees.ts';
import { hostView } from '../adapters/node/host-view.ts';
import { nodeIds } from '../adapters/node/ids.ts';
import { lockHolder } from '../adapters/node/instance-lock.ts';
import { packageState } from '../adapters/node/packages.ts';
import { playbookLibrary } from '../adapters/node/playbook-library.ts';
import { processHost } from '../adapters/node/process-host.ts';
import { userName } from '../adapters/node/user-name.ts';
import type { OpenedStore } from '../adapters/store/index.ts';
import type { DecisionPoint, PolicySource } from '../domains/governance/index.ts';
import { PersonRequests, type Emit, type Supervision } from '../domains/healing/index.ts';
import { Redactor } from '../domains/incidents/index.ts';
import { LastGoodKeeper } from '../domains/learning/index.ts';
import { layersOf, type ComponentSpec } from '../domains/supervisor/index.ts';
import { sha256Hex, type BootId, type Logger } from '../kernel/index.ts';
import { auditedLibrary } from './audited-library.ts';
import { caseFiles } from './composition/case-files.ts';
import { componentLaunches } from './composition/component-launches.ts';
import { coreChecks } from './composition/core-checks.ts';
import { eventBus } from './composition/event-bus.ts';
import { composeHealing } from './composition/healing.ts';
import { keepAsGood } from './composition/keep-as-good.ts';
import { keptSnapshots } from './composition/kept-snapshots.ts';
import { learnedGuards } from './composition/learned-guards.ts';
import { markedSpawner } from './composition/marked-spawner.ts';
import { openMemory } from './composition/memory.ts';
import { preflightRuns } from './composition/preflight-runs.ts';
import { processControl } from './composition/process-control.ts';
import { processLooks } from './composition/process-looks.ts';
import { composeSupervision } from './composition/supervision.ts';
import type { GraceConfig } from './config/index.ts';
import { CHECKS, endCutOff, endLeftByHand, fixesMark } from './cut-off.ts';
import { Governance } from './governance.ts';
import { knowledge } from './load-knowledge.ts';
import { primitiveContext } from './primitive-context.ts';
import { refusedLogins } from './refused-logins.ts';
import { serviceDatabases } from './service-databases.ts';
import { callerEnvironment } from './service-environment.ts';

export interface ComposeOptions {
  readonly config: GraceConfig;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly store: OpenedStore;
  readonly bootId: BootId;
  readonly emit: Emit;
  readonly logger: Logger;
  /** Decides until it is known which policies are in force. */
  readonly policy: DecisionPoint;
  /** The user's, as they are now; checked. */
  readonly policyFiles: readonly PolicySource[];
  readonly signal: AbortSignal;
  readonly isDryRun: boolean;
  /** The store is a copy that goes away: nothing of what is decided is written into a log. */
  readonly isCopy?: boolean;
  /** Who does what says no name itself; Grace unless given. */
  readonly actor?: string;
  /** The data directory by which this Grace's processes are known; a dry run works in another one. */
  readonly home: string;
}

export type Composed = Awaited<ReturnType<typeof compose>>;

/**
 * Chooses the adapters, makes Grace's parts in the order in which they need each other, and hands them over; starts nothing.
 * Whoever composes it closes it, before the store.
 */
export async function compose(options: ComposeOptions) {
  const { config, store, logger, signal, bootId, home, isDryRun, actor = 'grace' } = options;
  const { components } = config;
  const caller = callerEnvironment(options.environment);
  const redactor = redactorFor(components, caller);
  const redact = (text: string): string => redactor.redact(text);
  const specs = new Map(components.map((c) => [c.name, c]));
  const component = (name: string): ComponentSpec | null => specs.get(name) ?? null;
  /** Of the supervision, which is made last: what is made before it asks for them when it acts. */
  const runners = (): Supervision['runners'] => supervision.runners;
  const given = { config, bootId, isDryRun, logger, redactor, signal, runners };

  const memory = openMemory({ ...given, store, actor, isCopy: options.isCopy === true, emit: options.emit });
  const { audit, repos, overrides, snapshots } = memory;
  const { incidents, playbooks } = repos;
  const bus = eventBus(options.emit, redactor, audit, bootId);
  const { emit } = bus;

  const installation = sha256Hex(home).slice(0, 12);
  const routesDir = join(config.dataDir, 'routes');
  const host = processHost(installation, nodeClock, routesDir);
  const fixes = fixesMark(bootId);
  const [ofChecks, ofFixes] = [markedSpawner(installation, CHECKS), markedSpawner(installation, fixes)];
  const storage = join(config.dataDir, 'storage');
  const key = await vaultKey(storage, nodeFiles);
  const digest = (text: string): string => keyedDigest(key, text);

  const lastGood = new LastGoodKeeper({
    clock: nodeClock,
    files: nodeFiles,
    store: memory.lastGood,
    vault: copyVault(join(storage, 'last-good'), key, nodeFiles),
    checkContent: async (path, content) => (await knowledge()).contentValidity(path, content),
    ownDirs: [config.dataDir, config.playbooksDir],
    keptFiles: (name) => config.keep.get(name) ?? [],
  });
  const looks = processLooks({ snapshots, components, bootId, digest });
  const { launchOf, environmentOf, portNamedBy } = componentLaunches({ config, caller, overrides, redactor });
  const logins = refusedLogins(digest);
  const databases = serviceDatabases({
    logins,
    snapshots,
    logger,
    component,
    environmentOf,
    schemaFile: (name) => config.preflight.schemaFiles.get(name) ?? null,
    triesMigrations: config.preflight.triesMigrations,
    redact,
    spawner: ofChecks,
    clock: nodeClock,
    bootId,
    triesAgain: isDryRun,
  });
  /** A dry run beside a Grace that looks after the service: what it runs is well kept. */
  const isGuardedElsewhere = (): boolean => isDryRun && lockHolder(home) !== null;
  const view = hostView({
    files: nodeFiles,
    installation,
    component,
    managedPids: () =>
      new Set(
        [...runners().values()]
          .filter((r) => r.isRunning() || isGuardedElsewhere())
          .flatMap((r) => host.members(r.spec.name).map((i) => i.pid)),
      ),
    packages: async (cwd) => packageState(cwd, nodeFiles, await looks.packages(cwd)),
    schemaDrift: (name) => databases.drift(name),
    digest,
    appearance: (name) => looks.appearance(name),
  });
  const world = { host, view, lastGood, launchOf, environmentOf, digest };

  const caseFile = caseFiles({ ...given, ...world, boots: repos.boots, overrides, spawner: ofChecks });
  const processes = processControl({ ...given, ...world, component, dependencyWaits: config.dependencyWaits });
  const contextFor = (spec: ComponentSpec, until: AbortSignal, progress: (text: string) => void) =>
    primitiveContext(
      {
        clock: nodeClock,
        files: nodeFiles,
        host: view,
        logger,
        overrides,
        lastGood,
        processes,
        databases,
        workTrees: gitWorkTrees(ofFixes, redact),
        spawner: ofFixes,
        redactor,
        dataDir: config.dataDir,
        allowedCommands: config.healing.allowShell,
        digest,
        sealing: sealing(key),
        environmentOf,
        portNamedBy,
        incidents,
        readModules: async (paths, stop) => (await import('../adapters/import-graph/read-modules.ts')).readModules(paths, stop),
      },
      spec,
      until,
      progress,
    );
  const marks = { describe: `${installation}/${CHECKS}`, run: `${installation}/${fixes}` };
  const folder = playbookLibrary(config.playbooksDir, nodeFiles, { redact, logger, signal, marks });
  const library = auditedLibrary({ ...folder, write: (name, source) => folder.write(name, redact(source)) }, audit, actor);

  const governance = new Governance(
    { clock: nodeClock, ids: nodeIds, logger, ...repos, emit, environment: config.environment, user: userName() },
    options.policy,
    options.policyFiles,
  );
  const { policyPorts, shadow, lookback, healer } = composeHealing({
    ...given,
    ...world,
    memory,
    governance,
    emit,
    caller,
    spawner: ofChecks,
    schemaOutline: (name) => databases.outline(name),
    caseFile,
    library,
    primitiveContext: contextFor,
    snapshots: keptSnapshots({ config, spawner: ofFixes, redactor, playbooks, environmentOf, host, audit, actor }),
  });
  const supervision = composeSupervision({ ...given, ...world, memory, emit, healer, spawner: ofChecks, caseFile });
  const personRequests = new PersonRequests({
    ...policyPorts,
    clock: nodeClock,
    ids: nodeIds,
    approvals: repos.approvals,
    requests: repos.requests,
    components,
    emit,
    restart: (name, why) => supervision.restart(name, why),
  });

  const guards = learnedGuards({ ...world, components, incidents, playbooks });
  const preflight = preflightRuns({ ...given, ...world, home, installation, snapshots, databases, logins, routesDir });
  const ofBoot = { guards, preflight, bus, databases, healer, library, playbooks };
  const core = coreChecks({ ...given, ...world, ...ofBoot, store, snapshots, audit, caller });

  return {
    ...repos,
    caseFile,
    overrides,
    contextFor,
    host,
    view,
    lastGood,
    healer,
    supervision,
    governance,
    personRequests,
    core,
    library,
    redactor,
    redactedEmit: emit,
    onEvent: bus.onEvent,
    launchOf,
    lookback,
    shadow,
    audit,
    digest,
    ids: nodeIds,
    portable: snapshots,
    /** Takes the present state as good. */
    keepAsGood: (of: readonly ComponentSpec[] = components): Promise<void> =>
      keepAsGood(of, { bootId, logger, lastGood, lookback, looks, databases, runners: supervision.runners }),
    endCutOff: (): Promise<void> => endCutOff({ host, installation, ...repos }),
    endLeftByHand: (): Promise<void> => endLeftByHand({ host, installation }),
    layers: layersOf(components),
    close: (): Promise<void> => memory.close(),
  };
}

/** Knows the secrets of the caller and of the configuration from the start. */
function redactorFor(components: readonly ComponentSpec[], caller: Readonly<Record<string, string>>): Redactor {
  const redactor = new Redactor();
  redactor.learnEnvironment(caller);
  for (const spec of components) {
    redactor.learnEnvironment(spec.env);
    redactor.learnCommand(spec.command);
  }
  return redactor;
}
