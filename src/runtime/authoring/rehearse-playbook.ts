import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { nodeClock } from '../../adapters/node/clock.ts';
import { openStore } from '../../adapters/store/index.ts';
import type { DecisionPoint } from '../../domains/governance/index.ts';
import type { GraceEvent } from '../../domains/healing/index.ts';
import { undoRun } from '../../domains/playbooks/index.ts';
import { bootId, messageOf, sha256Hex, type Logger } from '../../kernel/index.ts';
import { compose, type Composed } from '../compose.ts';
import type { GraceConfig } from '../config/index.ts';
import { serve } from '../lifecycle.ts';
import { knowledge } from '../load-knowledge.ts';
import { repositories } from '../repositories.ts';
import { applyBreakage } from './apply-breakage.ts';
import { chosenPlaybook } from './chosen-playbook.ts';
import { parseRecordedFailure, recordFileOf, type RecordedFailure } from './recorded-failure.ts';
import { makeSandbox, NoSandbox, type Sandbox } from './sandbox.ts';

export interface RehearseOptions {
  readonly config: GraceConfig;
  readonly configFile: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** File of the playbook. */
  readonly file: string;
  readonly name: string;
  /** Leaves the sandbox for people to look into. */
  readonly isKept: boolean;
  /** Called as each part begins, in words. */
  readonly onPart: (part: string) => void;
}

/** What a test found out in the end. Only `passed` is a pass. */
export interface Rehearsal {
  readonly playbook: string;
  readonly outcome: 'passed' | 'failed' | 'inconclusive';
  readonly reason: string;
  readonly parts: readonly Part[];
  readonly tookMs: number;
  /** Where the sandbox was left; null when it was removed. */
  readonly sandbox: string | null;
}

export interface Part {
  readonly part: 'comes up unbroken' | 'fails as recorded' | 'heals' | 'is undone';
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly detail: string;
  readonly tookMs: number;
}

/** Three boots and a playbook; what takes longer hangs. */
const TEST_MS_MAX = 10 * 60_000;
const ALLOWED: DecisionPoint = { decide: async () => ({ verdict: 'allow', reason: 'it is tried in a sandbox', policies: [] }) };
const IN_A_TEST = bootId('rehearsal');
/** Digests of what an install makes would take longer than the install. */
const INSTALLED = /(?:^|\/)(?:node_modules|vendor|\.venv|venv)(?:\/|$)/;
const DIGESTED_BYTES_MAX = 16 * 1024 * 1024;
const TOLD_MAX = 3;

/**
 * Tests a playbook against the failure it is for: in a copy of the service that is broken as recorded, the service has to fail
 * as it did; after the playbook it has to be ready and to pass its smoke checks; undone, the copy has to be as broken as before.
 */
export async function rehearsePlaybook(options: RehearseOptions): Promise<Rehearsal> {
  const startedMs = nodeClock.monotonicMs();
  const parts: Part[] = [];
  const end = (outcome: Rehearsal['outcome'], reason: string, sandbox: string | null = null): Rehearsal => ({
    playbook: options.name,
    outcome,
    reason,
    parts,
    tookMs: nodeClock.monotonicMs() - startedMs,
    sandbox,
  });
  const recordFile = recordFileOf(options.file, options.name);
  if (!existsSync(recordFile)) return end('inconclusive', `it has no recorded failure: there is no ${recordFile}`);
  const record = parseRecordedFailure(recordFile, readFileSync(recordFile, 'utf8'));
  if (record.notReplayable.length > 0)
    return end('inconclusive', `a sandbox cannot have what the failure was about: ${record.notReplayable.join('; ')}`);
  options.onPart('copying the project');
  let sandbox: Sandbox | null = null;
  try {
    sandbox = await makeSandbox(options);
    const rehearsal = new RehearsalRun(options, sandbox, record, recordFile, parts);
    const { outcome, reason } = await rehearsal.run();
    return end(outcome, reason, options.isKept ? sandbox.dir : null);
  } catch (error) {
    if (options.signal.aborted || !(error instanceof NoSandbox)) throw error;
    return end('inconclusive', error.message);
  } finally {
    if (!options.isKept) sandbox?.remove();
  }
}

interface Booted {
  readonly isWell: boolean;
  /** What failed, by component and signature, and in words. */
  readonly failures: readonly { readonly component: string; readonly signature: string; readonly message: string }[];
}

type Tree = ReadonlyMap<string, string>;

class RehearsalRun {
  private readonly options: RehearseOptions;
  private readonly sandbox: Sandbox;
  private readonly record: RecordedFailure;
  private readonly recordFile: string;
  private readonly parts: Part[];
  private readonly signal: AbortSignal;

  constructor(options: RehearseOptions, sandbox: Sandbox, record: RecordedFailure, recordFile: string, parts: Part[]) {
    this.options = options;
    this.sandbox = sandbox;
    this.record = record;
    this.recordFile = recordFile;
    this.parts = parts;
    this.signal = AbortSignal.any([options.signal, AbortSignal.timeout(TEST_MS_MAX)]);
  }

  async run(): Promise<Pick<Rehearsal, 'outcome' | 'reason'>> {
    const { config } = this.sandbox;
    const spec = config.components.find((c) => c.name === this.record.component);
    if (spec === undefined)
      return { outcome: 'inconclusive', reason: `the configuration has no component "${this.record.component}" any more` };

    const unbroken = await this.part('comes up unbroken', async () => {
      const booted = await this.boot(this.sandbox.environment);
      return booted.isWell ? ok('ready, and its smoke checks pass', booted) : not(told(booted), booted);
    });
    /** Where it does not come up unbroken, a failure to heal says nothing about the playbook. */
    const unclear = (reason: string): Pick<Rehearsal, 'outcome' | 'reason'> =>
      unbroken.isFine
        ? { outcome: 'failed', reason }
        : { outcome: 'inconclusive', reason: `${reason}; but it does not come up in a sandbox unbroken either: ${unbroken.detail}` };

    const unset = await applyBreakage(this.record, this.recordFile, this.sandbox.dir, spec.cwd);
    const environment = Object.fromEntries(Object.entries(this.sandbox.environment).filter(([name]) => !unset.includes(name)));
    const broken = await this.part('fails as recorded', async () => {
      const booted = await this.boot(environment);
      if (booted.isWell) return not('it comes up all the same', booted);
      const again = booted.failures.find((f) => f.component === this.record.component && f.signature === this.record.signature);
      return again === undefined ? not(`it fails in another way: ${told(booted)}`, booted) : ok(again.message, booted);
    });
    if (!broken.isFine) return unclear(`the failure no longer reproduces: ${broken.detail}`);

    const before = treeOf(this.sandbox.dir, config);
    const settings = await this.withGrace(environment, (grace) => grace.overrides.get(spec.name));
    let run: string | null = null;
    let after: Tree = before;
    const healed = await this.part('heals', async () => {
      const played = await this.withGrace(environment, async (grace) => {
        await grace.core.syncPlaybooks();
        const registered = await chosenPlaybook(this.options.name, grace.playbooks, config.playbooksDir);
        return grace.healer.prevent(registered.name, spec, IN_A_TEST, this.signal);
      });
      run = played.runId;
      after = treeOf(this.sandbox.dir, config);
      if (played.state !== 'applied') return not(played.state === 'nothing_to_do' ? 'it finds nothing to do' : played.detail, null);
      const booted = await this.boot(environment);
      return booted.isWell
        ? ok(played.detail, booted)
        : not(`after it (${played.detail}) the service still fails: ${told(booted)}`, booted);
    });
    if (!healed.isFine) return unclear(`it does not heal: ${healed.detail}`);

    const undone = await this.part('is undone', () => this.undo(run ?? '', environment, before, after, JSON.stringify(settings)));
    if (!undone.isFine) return { outcome: 'failed', reason: `it heals, but is not undone: ${undone.detail}` };
    return { outcome: 'passed', reason: 'the failure is as recorded, the playbook heals it, and can be undone' };
  }

  private async undo(run: string, environment: Environment, before: Tree, after: Tree, settings: string): Promise<PartResult<null>> {
    const { config } = this.sandbox;
    const spec = config.components.find((c) => c.name === this.record.component);
    if (spec === undefined) throw new TypeError('the component was there a moment ago');
    const { primitives } = await knowledge();
    const {
      undone: { left },
      now,
      isFinal,
    } = await this.withGrace(environment, async (grace) => {
      const entries = await grace.journal.entries(run);
      return {
        isFinal: entries.filter((e) => primitives.get(e.primitive)?.undo === null).map((e) => e.primitive),
        undone: await undoRun(
          run,
          primitives,
          grace.contextFor(spec, this.signal, () => undefined),
          grace.journal,
        ),
        now: JSON.stringify(await grace.overrides.get(spec.name)),
      };
    });
    if (isFinal.length > 0) return { state: 'skipped', detail: `${isFinal.join(', ')} cannot be undone`, value: null };
    if (left.length > 0) return not(left.join('; '), null);
    if (now !== settings) return not('a setting that Grace keeps for the component is another one than before', null);
    const restored = treeOf(this.sandbox.dir, config);
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path));
    // What the service itself wrote meanwhile is its own.
    const stuck = changed.filter((path) => restored.get(path) !== before.get(path) && restored.get(path) === after.get(path));
    return stuck.length === 0
      ? ok(`${changed.length} ${changed.length === 1 ? 'path is' : 'paths are'} as before`, null)
      : not(`${stuck.slice(0, TOLD_MAX).join(', ')} ${stuck.length === 1 ? 'is' : 'are'} not as before`, null);
  }

  private async part<T>(name: Part['part'], work: () => Promise<PartResult<T>>): Promise<PartResult<T> & { readonly isFine: boolean }> {
    this.options.onPart(name);
    const startedMs = nodeClock.monotonicMs();
    const result = await work();
    this.signal.throwIfAborted();
    this.parts.push({ part: name, state: result.state, detail: result.detail, tookMs: nodeClock.monotonicMs() - startedMs });
    return { ...result, isFine: result.state !== 'failed' };
  }

  /** Boots the copy and stops it again; nothing is healed. */
  private async boot(environment: Environment): Promise<Booted> {
    const { config } = this.sandbox;
    const events: GraceEvent[] = [];
    const { report, isHealthy } = await serve({
      config,
      environment,
      emit: (event) => events.push(event),
      logger: this.options.logger,
      signal: this.signal,
      until: 'booted',
    });
    const store = await openStore(join(config.dataDir, 'grace.db'));
    try {
      const { boots, incidents } = repositories(store);
      const failures = await incidents.failuresOf(report.boot_id);
      const stayed = (await boots.get(report.boot_id))?.isVerified === true;
      const stage = report.stages.find((s) => s.result === 'failed');
      return {
        isWell: isHealthy && stayed,
        failures: [
          ...failures.map((f) => ({
            component: f.component,
            signature: f.grouping?.own ?? f.signature,
            message: f.headline === '' ? f.message : f.headline,
          })),
          ...(failures.length === 0 && stage !== undefined
            ? [{ component: '', signature: '', message: stage.failure ?? stage.stage }]
            : []),
        ],
      };
    } finally {
      store.close();
    }
  }

  /** The Grace of the sandbox, without a service: its primitives reach no further than the copy. */
  private async withGrace<T>(environment: Environment, work: (grace: Composed) => Promise<T>): Promise<T> {
    const { config } = this.sandbox;
    const store = await openStore(join(config.dataDir, 'grace.db'));
    try {
      return await work(
        await compose({
          config,
          environment,
          store,
          bootId: IN_A_TEST,
          emit: () => undefined,
          logger: this.options.logger,
          policy: ALLOWED,
          policyFiles: [],
          signal: this.signal,
          isDryRun: false,
          isCopy: true,
          home: config.dataDir,
        }),
      );
    } finally {
      store.close();
    }
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

interface PartResult<T> {
  readonly state: Part['state'];
  readonly detail: string;
  readonly value: T;
}

const ok = <T>(detail: string, value: T): PartResult<T> => ({ state: 'passed', detail, value });
const not = <T>(detail: string, value: T): PartResult<T> => ({ state: 'failed', detail, value });

function told({ failures }: Booted): string {
  const [first] = failures;
  if (first === undefined) return 'it was ready, but not for long enough';
  return first.component === '' ? first.message : `${first.component}: ${first.message}`;
}

/** Every path of the copy with kind, mode and a digest; Grace's own data lies elsewhere. */
function treeOf(dir: string, { components }: GraceConfig): Tree {
  const logs = new Set(components.map((c) => c.logFile));
  const tree = new Map<string, string>();
  const walk = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = join(at, entry.name);
      if (logs.has(path)) continue;
      const place = relative(dir, path);
      tree.set(place, traceOf(path, place));
      if (entry.isDirectory()) walk(path);
    }
  };
  walk(dir);
  return tree;
}

function traceOf(path: string, place: string): string {
  try {
    const stat = lstatSync(path);
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isSymbolicLink()) return `link ${readlinkSync(path)}`;
    if (!stat.isFile()) return `${stat.isDirectory() ? 'directory' : 'other'} ${mode}`;
    const isDigested = stat.size <= DIGESTED_BYTES_MAX && !INSTALLED.test(place);
    return `file ${mode} ${stat.uid}:${stat.gid} ${isDigested ? sha256Hex(readFileSync(path)) : stat.size}`;
  } catch (error) {
    return `unreadable ${messageOf(error)}`;
  }
}
