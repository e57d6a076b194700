import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { copyVault, keyedDigest, sealing, vaultKey } from '../adapters/node/copy-vault.ts';
import { nodeClock } from '../adapters/node/clock.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import { appearanceOf, hostView, type Appearance } from '../adapters/node/host-view.ts';
import { userName } from '../adapters/node/user-name.ts';
import { lockHolder } from '../adapters/node/instance-lock.ts';
import { filesTouched, gitRoot } from '../adapters/node/git.ts';
import { gitWorkTrees } from '../adapters/node/git-work-trees.ts';
import { nodeIds } from '../adapters/node/ids.ts';
import { packageState, takePackageManifest, type PackageManifest } from '../adapters/node/packages.ts';
import { playbookLibrary } from '../adapters/node/playbook-library.ts';
import { allPids, identityOf, isAlive, MARK, machineBootId, readEnvironmentVariable, readStat } from '../adapters/node/proc.ts';
import { pidsListeningOn } from '../adapters/node/ports.ts';
import { processHost } from '../adapters/node/process-host.ts';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { nodeProber } from '../adapters/probes/prober.ts';
import {
  failedStateStore,
  lastGoodStore,
  overrideStore,
  processStore,
  REQUIRED_TABLES,
  SCHEMA_VERSION,
  snapshotStore,
  type OpenedStore,
} from '../adapters/store/index.ts';
import { METRICS_CATALOG, PROACTIVE_RULES } from '../catalog/metrics/index.ts';
import { BOOT_PLANS, type CoreChecks } from '../domains/boot/index.ts';
import {
  EarnedAutonomy,
  Healer,
  PersonRequests,
  Shadow,
  Supervision,
  registerShipped,
  syncPlaybooks,
  type Emit,
  type GraceEvent,
} from '../domains/healing/index.ts';
import type { DecisionPoint, PolicySource } from '../domains/governance/index.ts';
import { Redactor } from '../domains/incidents/index.ts';
import {
  fingerprintFrom,
  LastGoodKeeper,
  releaseState,
  type CaseFile,
  type Captured,
  type ReleaseState,
} from '../domains/learning/index.ts';
import type { Journal, ProcessControl } from '../domains/playbooks/index.ts';
import type { Snapshots } from '../domains/snapshots/index.ts';
import type { Finding } from '../domains/preflight/index.ts';
import { layersOf, type ComponentSpec } from '../domains/supervisor/index.ts';
import { GraceError, messageOf, sha256Hex, type BootId, type Logger, type Spawner } from '../kernel/index.ts';
import { Audit } from './audit.ts';
import { eventNote, restartNotes } from './audit-notes.ts';
import { auditedLibrary } from './audited-library.ts';
import { auditedSnapshots } from './audited-repositories.ts';
import type { GraceConfig } from './config/index.ts';
import { Governance } from './governance.ts';
import { Lookback } from './lookback.ts';
import { portNames } from './port-names.ts';
import { CHECKS, endCutOff, endLeftByHand, fixesMark } from './cut-off.ts';
import { primitiveContext } from './primitive-context.ts';
import { refusedLogins } from './refused-logins.ts';
import { serviceView } from './service-view.ts';
import { repositories, type Repositories } from './repositories.ts';
import { serviceDatabases } from './service-databases.ts';
import { buildLaunch, callerEnvironment } from './service-environment.ts';
import { sql } from 'kysely';

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

/** What is known about failures and how to mend them: a tenth of a second to load, and most boots never need it. */
export const knowledge = () => import('./knowledge.ts');

/** The only place that chooses adapters and wires them. */
export async function compose(options: ComposeOptions) {
  const { config, store, emit, logger, signal, bootId } = options;
  const redactor = new Redactor();
  const caller = callerEnvironment(options.environment);
  redactor.learnEnvironment(caller);
  const specs = new Map(config.components.map((c) => [c.name, c]));
  for (const spec of config.components) {
    redactor.learnEnvironment(spec.env);
    redactor.learnCommand(spec.command);
  }
  const installation = sha256Hex(options.home).slice(0, 12);
  const fixes = fixesMark(bootId);
  const audit = options.isCopy === true ? null : openAudit(options, redactor);
  const actor = options.actor ?? 'grace';
  const stored = repositories(store, audit, actor);
  // Nothing reaches the store or a playbook before it went through the redactor, whoever wrote it.
  const repos: Repositories = {
    ...stored,
    incidents: {
      ...stored.incidents,
      saveExplanation: (e) => stored.incidents.saveExplanation(redactor.redactDeep(e)),
      savePattern: (p) => stored.incidents.savePattern(redactor.redactDeep(p)),
    },
    missions: {
      ...stored.missions,
      // Its key is made of words that were redacted, and stays the same whatever is done to it.
      save: (m, was) => stored.missions.save({ ...redactor.redactReport(m), key: m.key }, was),
    },
    shadows: { ...stored.shadows, save: (r) => stored.shadows.save(redactor.redactDeep(r)) },
    approvals: { ...stored.approvals, save: (a) => stored.approvals.save(redactor.redactDeep(a)) },
    decisions: { ...stored.decisions, write: (entry) => stored.decisions.write(redactor.redactDeep(entry)) },
  };
  const overrides = overrideStore(store.db);
  const snapshots = snapshotStore(store.db);
  const journal: Journal = {
    ...stored.journal,
    write: (entry) => stored.journal.write({ ...entry, summary: redactor.redact(entry.summary) }),
  };
  const host = processHost(installation, nodeClock, join(config.dataDir, 'routes'));
  // What fixes and checks run is marked too, so that the next Grace finds it when this one is killed. What the start command
  // of a dependency leaves running is meant to stay, and is not.
  const marked = (mark: string): Spawner => ({
    run: (argv, given) => nodeSpawner.run(argv, { ...given, env: { ...given.env, [MARK]: `${installation}/${mark}` } }),
  });
  const key = await vaultKey(join(config.dataDir, 'storage'), nodeFiles);
  const digest = (text: string): string => keyedDigest(key, text);
  const lastGood = new LastGoodKeeper({
    clock: nodeClock,
    files: nodeFiles,
    store: lastGoodStore(store.db),
    vault: copyVault(join(config.dataDir, 'storage', 'last-good'), key, nodeFiles),
    checkContent: async (path, content) => (await knowledge()).contentValidity(path, content),
    ownDirs: [config.dataDir, config.playbooksDir],
    keptFiles: (component) => config.keep.get(component) ?? [],
  });

  const launchOf = async (spec: ComponentSpec) => {
    const launch = await buildLaunch(spec, caller, await overrides.get(spec.name), nodeFiles);
    redactor.learnEnvironment(launch.env);
    // Also those that the service reads by itself, and those that the caller's environment hides.
    for (const file of spec.envFiles) redactor.learnEnvironment(parseEnv((await nodeFiles.readText(file).catch(() => null)) ?? ''));
    return launch;
  };
  const environmentInFiles = async (spec: ComponentSpec): Promise<Readonly<Record<string, string>>> =>
    Object.fromEntries(
      (await Promise.all(spec.envFiles.map((file) => nodeFiles.readText(file).catch(() => null)))).flatMap((content) =>
        Object.entries(parseEnv(content ?? '')).map(([name, value]): [string, string] => [name, value ?? '']),
      ),
    );
  const environmentOf = async (spec: ComponentSpec) => (await launchOf(spec)).env;
  const logins = refusedLogins(digest);
  const databases = serviceDatabases({
    logins,
    snapshots,
    logger,
    component: (name) => specs.get(name) ?? null,
    environmentOf,
    schemaFile: (name) => config.preflight.schemaFiles.get(name) ?? null,
    triesMigrations: config.preflight.triesMigrations,
    redact: (text) => redactor.redact(text),
    spawner: marked(CHECKS),
    clock: nodeClock,
    bootId,
    triesAgain: options.isDryRun,
  });

  /** A dry run beside a Grace that looks after the service: what it runs is well kept. */
  const isGuardedElsewhere = (): boolean => options.isDryRun && lockHolder(options.home) !== null;
  const view = hostView({
    files: nodeFiles,
    installation,
    component: (name) => specs.get(name) ?? null,
    managedPids: () =>
      new Set(
        [...supervision.runners.values()]
          .filter((r) => r.isRunning() || isGuardedElsewhere())
          .flatMap((r) => host.members(r.spec.name).map((i) => i.pid)),
      ),
    packages: async (cwd) => packageState(cwd, nodeFiles, await manifestOf(cwd)),
    schemaDrift: (component) => databases.drift(component),
    digest,
    appearance: async (component) => JSON.parse((await snapshots.get(component, 'appearance')) ?? 'null') as Appearance | null,
  });
  const manifestOf = async (cwd: string): Promise<PackageManifest | null> => {
    const spec = config.components.find((c) => c.kind === 'process' && c.cwd === cwd);
    const body = spec === undefined ? null : await snapshots.get(spec.name, 'packages');
    return body === null ? null : (JSON.parse(body) as PackageManifest);
  };

  const workTrees = gitWorkTrees(marked(CHECKS), (text) => redactor.redact(text));
  const release = async (): Promise<ReleaseState | null> => {
    if (config.boot.rollbackAfter === 0) return null;
    const boots = (await repos.boots.list(BOOTS_LOOKED_AT)).map((b) => ({
      ...b,
      commit: fingerprintFrom(b.fingerprint).parts.git?.['commit'] || null,
    }));
    const good = releaseState(boots, bootId, config.boot.rollbackAfter);
    if (good === null) return null;
    const dir = [config.projectDir, ...config.components.map((c) => c.cwd)].find((d) => gitRoot(d) !== null);
    const tree = good.commit === null || dir === undefined ? null : await workTrees.look(dir);
    const commitNow = tree === null || typeof tree === 'string' || tree.commit.startsWith(good.commit ?? '') ? null : tree.commit;
    const touched =
      commitNow === null || dir === undefined ? null : await filesTouched(dir, good.commit ?? '', commitNow, marked(CHECKS), GIT_MS);
    return { ...good, commitNow, touched: touched ?? [] };
  };

  const caseFile = async (captured: Captured, component: ComponentSpec, attempts: readonly string[]): Promise<CaseFile> => ({
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
    release: await release(),
    runsAs: supervision.runners.get(component.name)?.runsAs ?? null,
  });

  /** The stopped process that holds its port, and those it started: only where it works in the dependency's own data. */
  const resumeDependency = async (spec: ComponentSpec): Promise<boolean> => {
    const holder = spec.port === null ? null : await view.portHolder(spec.port, spec.name);
    const isItsOwn = holder?.cwd != null && spec.roots.some((root) => `${holder.cwd ?? ''}/`.startsWith(`${root}/`));
    if (holder === null || !isItsOwn) return false;
    const family = allPids().filter((pid) => pid === holder.pid || readStat(pid)?.parentPid === holder.pid);
    return family
      .filter((pid) => readStat(pid)?.state === 'T')
      .map((pid) => identityOf(pid))
      .map((identity) => identity !== null && host.signal(identity, 'SIGCONT'))
      .some(Boolean);
  };

  const processes: ProcessControl = {
    async endStale(component, pid, startTicks) {
      const identity = { pid, startTicks, machineBootId: machineBootId() };
      if (!isAlive(identity)) return false;
      const graceMs = specs.get(component)?.stop.graceMs ?? 5000;
      host.signal(identity, 'SIGTERM');
      if (readStat(pid)?.state === 'T') host.signal(identity, 'SIGCONT');
      const deadlineMs = nodeClock.monotonicMs() + graceMs;
      while (isAlive(identity) && nodeClock.monotonicMs() < deadlineMs) await nodeClock.sleep(20);
      if (isAlive(identity)) host.signal(identity, 'SIGKILL');
      while (isAlive(identity) && nodeClock.monotonicMs() < deadlineMs + 3000) await nodeClock.sleep(20);
      return !isAlive(identity);
    },
    async resume(component) {
      const spec = specs.get(component);
      if (spec?.kind === 'dependency') return resumeDependency(spec);
      const identity = supervision.runners.get(component)?.process?.identity;
      return (
        identity !== undefined &&
        host
          .members(component)
          .map((i) => host.signal(i, 'SIGCONT'))
          .some(Boolean)
      );
    },
    async restart(component) {
      // Only stopped here: the bring-up that asked for it starts it again and waits until it is ready.
      await supervision.runners.get(component)?.stop();
    },
    async startDependency(name) {
      const spec = specs.get(name);
      if (spec === undefined || spec.kind !== 'dependency' || spec.command.length === 0)
        return { started: false, output: 'nobody here may start it' };
      const launch = await launchOf(spec);
      const result = await nodeSpawner.run(launch.argv, {
        cwd: spec.cwd,
        env: launch.env,
        timeoutMs: config.dependencyWaits.get(name)?.startTimeoutMs ?? 60_000,
        signal,
      });
      return { started: result.exitCode === 0, output: redactor.redact(`${result.stdout}\n${result.stderr}`) };
    },
  };
  const portNamedBy = async (component: string, port: number, variable: string): Promise<readonly string[]> => {
    const environments = new Map<string, Readonly<Record<string, string>>>();
    // A dependency runs already, without the environment that Grace was started in.
    for (const spec of config.components)
      environments.set(
        spec.name,
        spec.kind === 'dependency' ? spec.env : { ...(await environmentInFiles(spec)), ...(await environmentOf(spec)) },
      );
    return portNames(port, component, variable, { ...config, environments });
  };
  const contextFor = (component: ComponentSpec, until: AbortSignal, progress: (text: string) => void) =>
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
        workTrees: gitWorkTrees(marked(fixes), (text) => redactor.redact(text)),
        spawner: marked(fixes),
        redactor,
        dataDir: config.dataDir,
        allowedCommands: config.healing.allowShell,
        digest,
        sealing: sealing(key),
        environmentOf,
        portNamedBy,
        incidents: repos.incidents,
        readModules: async (paths, until) => (await import('../adapters/import-graph/read-modules.ts')).readModules(paths, until),
      },
      component,
      until,
      progress,
    );
  let kept: Promise<Snapshots> | undefined;
  /** How components were before something changed them; loaded when the first one is taken. */
  const keptSnapshots = (): Promise<Snapshots> =>
    (kept ??= import('./snapshots.ts').then(({ openSnapshots }) =>
      openSnapshots({
        config,
        spawner: marked(fixes),
        redactor,
        playbooks: repos.playbooks,
        environmentOf,
        isRunning: (name) => host.members(name).length > 0,
      }).then((opened) => (audit === null ? opened : auditedSnapshots(opened, audit, actor))),
    ));
  const folder = playbookLibrary(config.playbooksDir, nodeFiles, {
    redact: (text) => redactor.redact(text),
    logger,
    signal,
    marks: { describe: `${installation}/${CHECKS}`, run: `${installation}/${fixes}` },
  });
  const library = auditedLibrary({ ...folder, write: (name, source) => folder.write(name, redactor.redact(source)) }, audit, actor);
  // The mesh inside this process: everything that happens goes through it, redacted.
  const bus = new EventEmitter();
  bus.on('grace.event', emit);
  const restarted = restartNotes();
  const redactedEmit: Emit = (event) => {
    const redacted = redactor.redactReport(event);
    const note = audit === null ? null : (eventNote(redacted, bootId) ?? restarted(redacted));
    if (note !== null) audit?.note(note);
    // Whoever is called also gets the head: another place that knows it.
    bus.emit('grace.event', redacted.type === 'person_needed' && audit !== null ? { ...redacted, audit: audit.lastHead } : redacted);
  };

  const governance = new Governance(
    { clock: nodeClock, ids: nodeIds, logger, ...repos, emit: redactedEmit, environment: config.environment, user: userName() },
    options.policy,
    options.policyFiles,
  );
  const autonomy = new EarnedAutonomy({ ...repos, clock: nodeClock, ids: nodeIds, emit: redactedEmit });
  const shadow = new Shadow({
    ...repos,
    clock: nodeClock,
    ids: nodeIds,
    logger,
    files: nodeFiles,
    emit: redactedEmit,
    knowledge,
    primitiveContext: contextFor,
    launchedAtMs: (name) => supervision.runners.get(name)?.process?.launchedAtMs ?? null,
  });
  const policyPorts = {
    policy: governance.policy,
    mode: () => governance.mode(),
    executeAtRuntime: config.healing.executeAtRuntime,
    environment: config.environment,
    effectiveTier: autonomy.effectiveTier.bind(autonomy),
  };
  const lookback = new Lookback({
    ...policyPorts,
    clock: nodeClock,
    ids: nodeIds,
    files: nodeFiles,
    spawner: marked(CHECKS),
    logger,
    redactor,
    view,
    lastGood,
    components: config.components,
    projectDir: config.projectDir,
    bootId,
    caller,
    digest,
    launchOf,
    schemaOutline: (component) => databases.outline(component),
    ...repos,
    journal,
    library,
    knowledge,
    emit: redactedEmit,
    failedStates: failedStateStore(store.db),
    snapshots,
    launchedAtMs: (name) => {
      const handle = supervision.runners.get(name)?.process ?? null;
      return handle === null || handle.wasAdopted ? null : handle.launchedAtMs;
    },
  });
  const healer = new Healer({
    clock: nodeClock,
    ids: nodeIds,
    logger,
    incidents: repos.incidents,
    playbooks: repos.playbooks,
    approvals: repos.approvals,
    decisions: repos.decisions,
    journal,
    limits: repos.limits,
    limitSettings: config.healing.limits,
    snapshots: keptSnapshots,
    library,
    knowledge,
    emit: redactedEmit,
    ...policyPorts,
    projectDir: config.projectDir,
    caseFile,
    whatChanged: (captured, c) => lookback.whatChanged(captured, c),
    recordFailure: async (playbook, captured, spec, steps, diagnosis) => {
      try {
        const { keepRecordedFailure } = await import('./authoring/record-failure.ts');
        const ports = { files: nodeFiles, lastGood, redactor, projectDir: config.projectDir };
        await keepRecordedFailure({ playbook, captured, spec, steps, diagnosis }, ports, config.playbooksDir);
      } catch (error) {
        logger.warn('the failure could not be recorded for the test of its playbook', { playbook, error: messageOf(error) });
      }
    },
    primitiveContext: contextFor,
    shadow,
    autonomy,
  });
  const supervision: Supervision = new Supervision(
    {
      clock: nodeClock,
      ids: nodeIds,
      files: nodeFiles,
      spawner: nodeSpawner,
      logger,
      host,
      view,
      prober: nodeProber(nodeClock, nodeFiles, marked(CHECKS)),
      processes: processStore(store.db),
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
      emit: redactedEmit,
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
      bootId,
      components: config.components,
      smoke: config.smoke,
      projectDir: config.projectDir,
      maxHealingAttempts: BOOT_PLANS[config.boot.mode].heals ? config.boot.maxHealingAttempts : 0,
      hold: BOOT_PLANS[config.boot.mode].holds ? config.boot.hold : 'never',
      isDryRun: options.isDryRun,
      dependencyStartMs: (name) => config.dependencyWaits.get(name)?.startTimeoutMs ?? 60_000,
      dependencyWaitMs: (name) => config.dependencyWaits.get(name)?.waitForMs ?? null,
    },
    healer,
    signal,
  );

  const personRequests = new PersonRequests({
    ...policyPorts,
    clock: nodeClock,
    ids: nodeIds,
    approvals: repos.approvals,
    requests: repos.requests,
    components: config.components,
    emit: redactedEmit,
    restart: (name, why) => supervision.restart(name, why),
  });

  let preflightRuns = 0;
  const core: CoreChecks = {
    async storeSchema() {
      const rows = await sql<{ name: string }>`select name from sqlite_master where type = 'table'`.execute(store.db);
      const present = new Set(rows.rows.map((r) => r.name));
      return {
        missing: REQUIRED_TABLES.filter((t) => !present.has(t)),
        version: store.version(),
        expected: SCHEMA_VERSION,
        isNew: store.isNew,
      };
    },
    async storeRoundTrip(text) {
      const startedMs = nodeClock.monotonicMs();
      await snapshots.put('grace', 'port', bootId, text);
      const back = await snapshots.get('grace', 'port');
      await snapshots.remove('grace', 'port');
      return { text: back ?? '', ms: nodeClock.monotonicMs() - startedMs };
    },
    async meshRoundTrip() {
      const startedMs = nodeClock.monotonicMs();
      const arrived = once(bus, 'grace.self_test', { signal: AbortSignal.timeout(1000) });
      bus.emit('grace.self_test', bootId);
      const [got] = (await arrived) as [unknown];
      if (got !== bootId) throw new Error('another event arrived');
      return nodeClock.monotonicMs() - startedMs;
    },
    async spine() {
      await audit?.head();
      const argv = [process.execPath, '--version'];
      const run = await nodeSpawner.run(argv, { cwd: '/', env: {}, timeoutMs: 10_000, signal });
      return {
        governance: audit?.trouble ?? null,
        executor:
          run.exitCode === 0 ? null : `${process.execPath} cannot be started (${run.spawnErrorCode ?? run.signal ?? run.exitCode ?? ''})`,
      };
    },
    environmentOf,
    pendingMigrations: (spec) => databases.pendingMigrations(spec),
    async schemaLacks(spec) {
      if (config.preflight.skip.includes('schema_integrity')) return null;
      // A boot that does not wait for the check does not wait for a database to be made either.
      const lacks = await databases.lacks(spec, config.preflight.schemaWhen === 'before_start', signal);
      return lacks === null ? null : { wantedBy: lacks.wantedBy, names: [...lacks.tables, ...lacks.columns] };
    },
    failedLooks: (spec) => databases.failedLooks(spec.name),
    missingNamed: (spec) => lastGood.missingNamed(spec),
    takenAway: (spec) => lastGood.takenAway(spec),
    dataLeftBehind: (spec) => lastGood.dataLeftBehind(spec),
    preflight: async (when) => {
      // Most configs ask for nothing: then the start does not wait until the checks are loaded.
      const { checks, envSchemas, vault, schemaWhen } = config.preflight;
      const isAsked = checks.length > 0 || envSchemas.size > 0 || typeof vault === 'object' || schemaWhen === when;
      if (when === 'before_start' && !isAsked) return [];
      const { preflightReports } = await import('./preflight.ts');
      // A mark of its own for each run: what a check leaves behind in a session of its own is ended with it, and nothing else is.
      const mark = `${CHECKS}/${process.pid}.${++preflightRuns}`;
      let hasStarted = false;
      const spawner: Spawner = {
        run(argv, given) {
          hasStarted = true;
          return marked(mark).run(argv, given);
        },
      };
      try {
        return await preflightReports(when, {
          config,
          logger,
          signal,
          ownDirs: [options.home, config.dataDir, config.playbooksDir],
          home: options.home,
          isDryRun: options.isDryRun,
          spawner,
          snapshots,
          bootId,
          digest,
          redactor,
          environmentOf,
          schemas: { isThere: databases.isThere, look: databases.look },
          migrations: databases.migrations,
          logins,
          service: when === 'when_ready' ? serviceView(supervision.runners, host, join(config.dataDir, 'routes')) : null,
        });
      } finally {
        if (hasStarted) await host.endAll(mark, 'SIGKILL', 0);
      }
    },
    async guards(spec) {
      const patterns = (await repos.incidents.patterns()).filter(
        (p) => p.component === spec.name && p.playbook !== null && p.state !== 'new',
      );
      if (patterns.length === 0) return [];
      const { families } = await knowledge();
      const drift = await lastGood.drift(spec, []);
      const env = await environmentOf(spec);
      const findings = new Map<string, Finding>();
      for (const pattern of patterns) {
        const registered = pattern.playbook === null ? null : await repos.playbooks.get(pattern.playbook);
        const family = families.find((f) => f.name === (registered?.family ?? pattern.familyName));
        if (registered === null || !registered.isEnabled || family?.guard === null || family === undefined) continue;
        // What was learned from a person has to have run once before it acts beforehand.
        if (registered.origin === 'learned' && pattern.state === 'candidate') continue;
        const found = await family.guard({
          component: spec,
          components: config.components,
          env,
          steps: registered.steps,
          drift,
          host: view,
          files: nodeFiles,
          lastGood,
          playbook: registered.name,
          params: registered.params,
        });
        if (found !== null) findings.set(registered.name, { ...found, component: spec.name });
      }
      return [...findings.values()];
    },
    async runGuardFix(spec, found, phase, until) {
      if (found.fix === null) return { state: 'nothing_to_do', detail: '' };
      return healer.prevent(found.fix.playbook, spec, bootId, until, phase);
    },
    async syncPlaybooks() {
      // Once per store: they are written down when it is made.
      if (store.isNew) await registerShipped((await import('../catalog/playbooks/index.ts')).shippedPlaybooks, repos.playbooks, nodeClock);
      return syncPlaybooks(library, repos.playbooks, nodeClock);
    },
    metricsCatalog: () => ({ metrics: METRICS_CATALOG.length, rules: PROACTIVE_RULES.length }),
    consoleEncoding: () => consoleEncoding(caller),
  };

  /** Takes the present state as good: files, packages, schema. */
  async function keepAsGood(components: readonly ComponentSpec[] = config.components): Promise<void> {
    for (const spec of components) {
      try {
        await lookback.noteRestless(spec, () => lastGood.take(spec, bootId));
        if (spec.kind !== 'process') continue;
        const port = supervision.runners.get(spec.name)?.port ?? null;
        const listener = port === null ? undefined : pidsListeningOn(port)[0];
        const appearance = listener === undefined ? null : appearanceOf(listener, digest);
        if (appearance !== null) await snapshots.put(spec.name, 'appearance', bootId, JSON.stringify(appearance));
        const before = await manifestOf(spec.cwd);
        const lock = await nodeFiles.readText(join(spec.cwd, 'package-lock.json'));
        if (lock !== null && before?.lockDigest !== sha256Hex(lock)) {
          const manifest = await takePackageManifest(spec.cwd, nodeFiles);
          if (manifest !== null) await snapshots.put(spec.name, 'packages', bootId, JSON.stringify(manifest));
        }
        await databases.keep(spec, bootId);
      } catch (error) {
        logger.warn('the present state could not be kept as good', { component: spec.name, error: messageOf(error) });
      }
    }
  }

  return {
    ...repos,
    caseFile,
    overrides,
    journal,
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
    redactedEmit,
    onEvent: (listener: (event: GraceEvent) => void): void => void bus.on('grace.event', listener),
    launchOf,
    lookback,
    snapshots: keptSnapshots,
    shadow,
    audit,
    digest,
    missions: repos.missions,
    ids: nodeIds,
    portable: snapshots,
    keepAsGood,
    endCutOff: (): Promise<void> => endCutOff({ host, installation, ...repos }),
    endLeftByHand: (): Promise<void> => endLeftByHand({ host, installation }),
    layers: layersOf(config.components),
    installation,
    markOf: readEnvironmentVariable,
  };
}

/** Past boots that are looked at for the last good one; more failures in a row than this are not counted. */
const BOOTS_LOOKED_AT = 60;
const GIT_MS = 10_000;
/** The log of this Grace; that it takes no entries is told where all that happens is. */
function openAudit({ config, logger, emit }: ComposeOptions, redactor: Redactor): Audit {
  return new Audit({
    path: join(config.dataDir, 'grace.db'),
    service: config.name,
    clock: nodeClock,
    redactor,
    onTrouble(error) {
      const text = redactor.redact(messageOf(error));
      logger.error('the audit log takes no entries', { error: text });
      const hint = error instanceof GraceError && error.hint !== undefined ? `\n  ${error.hint}` : '';
      emit({
        type: 'notice',
        level: 'error',
        text: `${text}: no playbook acts and nothing is decided until it does; the service is looked after${hint}`,
      });
    },
  });
}

/** Files looked at several times a second while somebody is waited for. */
const SUSPECTS_WATCHED_MAX = 20;

function consoleEncoding(env: Readonly<Record<string, string>>): 'utf-8' | 'ascii' | 'other' {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  if (/utf-?8/i.test(locale)) return 'utf-8';
  return locale === '' || locale === 'C' || locale === 'POSIX' ? 'ascii' : 'other';
}
