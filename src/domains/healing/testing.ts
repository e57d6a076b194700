import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { nodeFiles } from '../../adapters/node/files.ts';
import { playbookLibrary } from '../../adapters/node/playbook-library.ts';
import { cedarPolicy } from '../../adapters/policy/index.ts';
import {
  approvalStore,
  decisionStore,
  groupingRuleStore,
  templateStore,
  incidentStore,
  journalStore,
  limitStore,
  openStore,
  playbookStore,
  processStore,
  shadowStore,
  tierChangeStore,
  type OpenedStore,
} from '../../adapters/store/index.ts';
import { bootId, type CommandResult, type Json, type JsonObject, type Logger } from '../../kernel/index.ts';
import type { DecisionPoint, HealingLimits, Mode } from '../governance/index.ts';
import type { SmokeSpec } from '../health/index.ts';
import { Redactor, type Fact, type FactKind, type FactReader } from '../incidents/index.ts';
import type { Captured, CaseFile, Diagnosis, FailureFamily, Remedy } from '../learning/index.ts';
import type { HostView, Primitive, PrimitiveContext } from '../playbooks/index.ts';
import { component, FakeHost, FakeProber, httpProbe, SimulatedClock } from '../supervisor/testing.ts';
import type { Snapshots } from '../snapshots/index.ts';
import type { ComponentSpec, Problem } from '../supervisor/index.ts';
import { EarnedAutonomy } from './earned-autonomy.ts';
import type { GraceEvent } from './events.ts';
import type { WhatChanged } from './healer-ports.ts';
import { Healer } from './healer.ts';
import type { RunLimits } from './run-limits.ts';
import { Shadow } from './shadow.ts';
import { Supervision } from './supervision.ts';
import type { SupervisionSettings } from './supervision-ports.ts';

/** `fact port_in_use 3000` is a fact; whatever else a component says is its headline. */
const readFacts: FactReader = (lines) => ({
  facts: lines.flatMap((line, lineIndex): Fact[] => {
    const [, kind, subject = ''] = /^fact (\w+) ?(.*)$/.exec(line) ?? [];
    return kind === undefined ? [] : [{ kind: kind as FactKind, runtime: 'node', code: '', subject, details: {}, line, lineIndex }];
  }),
  frames: [],
  headline: lines.find((line) => !line.startsWith('fact ')) ?? '',
  runtime: 'node',
});

export interface WorldOptions {
  readonly components?: readonly Partial<ComponentSpec>[];
  readonly smoke?: readonly SmokeSpec[];
  readonly settings?: Partial<SupervisionSettings>;
  readonly executeAtRuntime?: boolean;
  readonly limits?: Partial<HealingLimits>;
  /** The user's own. */
  readonly policies?: readonly string[];
  /** Of the store. */
  readonly file?: string;
  /** Ids that an earlier Grace has given out. */
  readonly idsFrom?: number;
}

/**
 * Healing with a real store and real playbook files, on a machine in memory and a clock that stands still. What a
 * playbook can do is to change `settings`, which is what the components of a test look at.
 */
export class HealingWorld {
  readonly dir = mkdtempSync(join(tmpdir(), 'grace-healing-'));
  readonly clock = new SimulatedClock();
  readonly host = new FakeHost();
  readonly prober = new FakeProber(this.clock);
  readonly events: GraceEvent[] = [];
  readonly logged: string[] = [];
  readonly settings: Record<string, Json> = {};
  readonly families: FailureFamily[] = [];
  readonly primitives = new Map<string, Primitive>();
  readonly stop = new AbortController();
  readonly specs: readonly ComponentSpec[];
  /** Nothing of this world is a file. */
  snapshots = { list: async () => [], take: async () => Promise.reject(new Error('nothing to keep')) } as unknown as Snapshots;
  reachable = false;
  changed: WhatChanged = { suspects: [], lessons: [] };
  drift: CaseFile['drift'] = [];
  usualStartMs: number | null = null;
  mode: Mode = 'normal';
  /** Time limits of runs that are running: they end when a test says so, and never by themselves. */
  readonly timers: { readonly ms: number; readonly end: () => void }[] = [];
  readonly runLimits: RunLimits = {
    runMs: 8 * 60_000,
    stepMs: 6 * 60_000,
    endMs: 60_000,
    after: (ms) => {
      const timer = new AbortController();
      this.timers.push({ ms, end: () => timer.abort(new Error('time is up')) });
      return timer.signal;
    },
  };
  /** What a dependency's start command does. */
  command: (argv: readonly string[]) => Partial<CommandResult> = () => ({ exitCode: 1 });
  readonly library;
  readonly incidents;
  readonly groupingRules;
  readonly templates;
  readonly playbooks;
  readonly approvals;
  readonly limits;
  readonly limitSettings: HealingLimits;
  readonly policy: DecisionPoint;
  readonly journal;
  readonly tierChanges;
  readonly shadows;
  readonly shadow: Shadow;
  readonly autonomy: EarnedAutonomy;
  /** When the process that runs was started, as far as scoring what would have been done goes. */
  launchedAtMs: number | null = null;
  readonly processes;
  readonly healer: Healer;
  readonly supervision: Supervision;
  readonly options: WorldOptions;
  idsUsed: number;
  readonly decisions;
  private readonly store: OpenedStore;
  private isClosed = false;

  constructor(store: OpenedStore, options: WorldOptions) {
    this.store = store;
    this.limitSettings = { perHour: 20, cooldownMs: 300_000, breakerAfter: 3, stabilityMs: 120_000, ...options.limits };
    this.options = options;
    this.idsUsed = options.idsFrom ?? 0;
    this.decisions = decisionStore(store.db);
    onTestFinished(() => {
      this.close();
      rmSync(this.dir, { recursive: true, force: true });
    });
    this.incidents = incidentStore(store.db);
    this.groupingRules = groupingRuleStore(store.db);
    this.templates = templateStore(store.db);
    this.playbooks = playbookStore(store.db);
    this.approvals = approvalStore(store.db);
    this.limits = limitStore(store.db, { me: 'this Grace', isAlive: () => true }, () => this.clock.nowMs());
    this.journal = journalStore(store.db);
    this.tierChanges = tierChangeStore(store.db);
    this.shadows = shadowStore(store.db);
    this.processes = processStore(store.db);
    this.library = playbookLibrary(join(this.dir, 'playbooks'), nodeFiles, {
      redact: (text) => text,
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      marks: { describe: 'healing-world/.checks', run: 'healing-world/.fixes' },
    });
    this.specs = (options.components ?? [{}]).map((change) => {
      const name = change.name ?? 'api';
      return component({ readiness: httpProbe(), cwd: this.dir, roots: [this.dir], logFile: join(this.dir, `${name}.log`), ...change });
    });
    this.host.logSize = ({ logFile }) => statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
    this.power('set', true);
    const { clock, incidents, playbooks, approvals, journal, library } = this;
    const ids = { next: (prefix: string) => `${prefix}_${String(++this.idsUsed).padStart(3, '0')}` };
    const said = (message: string): void => void this.logged.push(message);
    const logger: Logger = { debug() {}, info() {}, warn: said, error: said };
    const emit = (event: GraceEvent): void => void this.events.push(event);
    const knowledge = async () => ({ families: this.families, primitives: this.primitives });
    const caseFile = async (captured: Captured, spec: ComponentSpec, attempts: readonly string[]) =>
      ({
        failure: captured.failure,
        component: spec,
        components: this.specs,
        env: {},
        drift: this.drift,
        files: nodeFiles,
        host: this.view,
        attempts,
        release: null,
        runsAs: null,
      }) as unknown as CaseFile;
    this.policy = cedarPolicy((options.policies ?? []).map((text, i) => ({ name: `own-${i}.cedar`, text })));
    const { shadows, tierChanges } = this;
    const primitiveContext = (spec: ComponentSpec, signal: AbortSignal) =>
      ({
        component: spec,
        signal,
        files: nodeFiles,
        backupDir: this.dir,
        digest: (text: string) => `digest of ${text}`,
      }) as PrimitiveContext;
    this.autonomy = new EarnedAutonomy({ clock, ids, emit, playbooks, incidents, shadows, tierChanges });
    this.shadow = new Shadow({
      clock, ids, logger, emit, playbooks, shadows, knowledge, primitiveContext,
      files: nodeFiles,
      launchedAtMs: () => this.launchedAtMs,
    }); // prettier-ignore
    this.healer = new Healer({
      clock, ids, logger, incidents, playbooks, approvals, journal, limits: this.limits, limitSettings: this.limitSettings, runLimits: this.runLimits, snapshots: async () => this.snapshots, library, knowledge, emit, caseFile,
      executeAtRuntime: options.executeAtRuntime ?? false,
      environment: '',
      policy: this.policy,
      mode: async () => this.mode,
      decisions: this.decisions,
      whatChanged: async () => this.changed,
      primitiveContext,
      shadow: this.shadow,
      autonomy: this.autonomy,
      effectiveTier: (name, hash, tier) => this.autonomy.effectiveTier(name, hash, tier),
      projectDir: this.dir,
    }); // prettier-ignore
    this.supervision = new Supervision(
      {
        clock, ids, logger, knowledge, emit, caseFile, approvals, playbooks, limits: this.limits,
        usualStartMs: async () => this.usualStartMs,
        suspectFiles: async () => this.drift.map((d) => d.subject),
        files: nodeFiles,
        host: this.host,
        view: this.view,
        prober: this.prober,
        processes: this.processes,
        spawner: { run: async (argv) => ({ exitCode: null, signal: null, stdout: '', stderr: '', timedOut: false, spawnErrorCode: null, ...this.command(argv) }) },
        capture: { clock, ids, files: nodeFiles, redactor: new Redactor(), readFacts: async (lines) => readFacts(lines), incidents, groupingRules: this.groupingRules, templates: this.templates },
        launchOf: async (spec) => ({ argv: spec.command, env: {}, openFiles: null, heapMb: null, specHash: 'same', skip: this.settings['skip'] === true }),
      },
      {
        bootId: bootId('boot_20260101_000000'),
        components: this.specs,
        smoke: options.smoke ?? [],
        projectDir: this.dir,
        maxHealingAttempts: 3,
        hold: 'never',
        isDryRun: false,
        dependencyStartMs: () => 2000,
        dependencyWaitMs: () => 10_000,
        ...options.settings,
      },
      this.healer,
      this.stop.signal,
    ); // prettier-ignore
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.stop.abort(new Error('this Grace is over'));
    this.store.close();
  }

  private readonly view = {
    portHolder: async () => null,
    process: async () => null,
    canConnect: async () => this.reachable,
    socketAnswers: async () => null,
  } as unknown as HostView;

  /** A primitive that writes its parameter `to` under its parameter `key`. */
  power(name: string, canUndo: boolean, apply?: (params: JsonObject) => void): void {
    this.primitives.set(name, {
      name,
      description: '',
      risk: 'low',
      parse: (params) => params,
      plan: async ({ key, to = null }) => {
        const was = this.settings[key as string] ?? null;
        return was === to
          ? { state: 'nothing_to_do', summary: `${key as string} is so already` }
          : { state: 'ready', summary: '', targets: [key as string], undo: { key: key as string, was } };
      },
      observe: async (targets) => Object.fromEntries(targets.map((key) => [key, this.settings[key] ?? null])),
      apply: async (params) => {
        apply?.(params);
        this.settings[params['key'] as string] = params['to'] ?? null;
        return { summary: `set ${params['key'] as string}`, changed: [] };
      },
      undo: canUndo
        ? async (undo) => {
            const { key, was } = undo as { key: string; was: Json };
            this.settings[key] = was;
          }
        : null,
    });
  }

  /** What is known: for failures with this kind of fact, this diagnosis. */
  knows(kind: FactKind | 'anything', answer: Partial<Diagnosis>, remedy: Partial<Remedy> | null = null): void {
    const name = answer.family ?? kind;
    this.families.push({
      name,
      title: name,
      guard: null,
      diagnose: async (c) =>
        kind !== 'anything' && !c.failure.facts.some((f) => f.kind === kind)
          ? []
          : [
              {
                family: name,
                cause: `because of ${kind}`,
                evidence: [],
                confidence: 0.9,
                advice: [],
                waitFor: null,
                remedy:
                  remedy === null
                    ? null
                    : {
                        playbook: `fix_${kind}`,
                        description: `fixes ${kind}`,
                        risk: 'low',
                        tier: 'tier_1',
                        steps: [set(kind)],
                        restart: true,
                        ...remedy,
                      },
                ...answer,
              },
            ],
    });
  }

  /** Writes into the log of a component. */
  say(text: string, name = 'api'): void {
    appendFileSync(join(this.dir, `${name}.log`), `${text}\n`);
  }

  spec(name = 'api'): ComponentSpec {
    return this.supervision.spec(name);
  }

  /** A failure of a component, captured and stored. */
  async fails(fact: string, name = 'api'): Promise<Captured> {
    const problem: Problem = {
      symptom: 'exit',
      message: 'it ended with exit code 1',
      exit: { exitCode: 1, signal: null },
      spawnCode: null,
      afterMs: 5,
      probeDetail: '',
      vitals: null,
    };
    return this.supervision.desk.capture(this.spec(name), '6. Autonomy Load', problem, null, `fact ${fact}`);
  }

  heal(captured: Captured, phase: 'boot' | 'runtime' = 'boot', attempts: readonly string[] = []) {
    const component = this.spec(captured.failure.component);
    return this.healer.heal({ captured, component, phase, scope: 'process', attempts, signal: this.stop.signal });
  }

  bringUp(name = 'api') {
    return this.clock.until(this.supervision.bringUp(name, 'boot', '6. Autonomy Load'));
  }

  source(name: string): string {
    return readFileSync(join(this.dir, 'playbooks', `${name}.ts`), 'utf8');
  }

  edit(name: string, change: (source: string) => string): void {
    writeFileSync(join(this.dir, 'playbooks', `${name}.ts`), change(this.source(name)));
  }

  types(): readonly string[] {
    return this.events.map((e) => e.type);
  }

  of<T extends GraceEvent['type']>(type: T): readonly Extract<GraceEvent, { type: T }>[] {
    return this.events.filter((e): e is Extract<GraceEvent, { type: T }> => e.type === type);
  }
}

/** The step that puts right what a kind of failure is about. */
export const set = (key: string, to: Json = 'fixed') => ({ name: `set ${key}`, primitive: 'set', params: { key, to } });

export async function healingWorld(options: WorldOptions = {}): Promise<HealingWorld> {
  const dir = mkdtempSync(join(tmpdir(), 'grace-healing-store-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'grace.db');
  return new HealingWorld(await openStore(file), { ...options, file });
}

/** The next Grace after this one: its store opened anew, the same time and the same state of the world. What is known has to be said again. */
export async function nextGrace(before: HealingWorld, options: WorldOptions = {}): Promise<HealingWorld> {
  before.close();
  const { file = '' } = before.options;
  const world = new HealingWorld(await openStore(file), { ...before.options, ...options, file, idsFrom: before.idsUsed });
  Object.assign(world.settings, before.settings);
  await world.clock.pass(before.clock.monotonicMs());
  return world;
}
