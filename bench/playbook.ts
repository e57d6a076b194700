// What a process without powers and a durable journal add to one run of a playbook: see README.md, "One run of a playbook".
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nodeClock } from '../src/adapters/node/clock.ts';
import { nodeIds } from '../src/adapters/node/ids.ts';
import { nodeSpawner } from '../src/adapters/node/spawner.ts';
import { cedarPolicy } from '../src/adapters/policy/index.ts';
import { decisionStore, journalStore, openStore, playbookStore } from '../src/adapters/store/index.ts';
import { namespaces } from '../src/adapters/node/playbook-process.ts';
import { limitReached, recordedDecisions, type CountedRun, type RunPlaybook } from '../src/domains/governance/index.ts';
import { Redactor } from '../src/domains/incidents/index.ts';
import {
  executePlaybook,
  type Journal,
  type LoadedPlaybook,
  type PlaybookRun,
  type Primitive,
  type PrimitiveContext,
} from '../src/domains/playbooks/index.ts';
import { loadConfig } from '../src/runtime/config/index.ts';
import { openLimits } from '../src/runtime/limits.ts';
import { openSnapshots } from '../src/runtime/snapshots.ts';

const USAGE = `usage: node bench/playbook.ts [--runs N]

Needs the build (npm run -s build). Prints medians, with the least and the most, of N rounds (default: 30).`;

const RUNNER = join(import.meta.dirname, '..', 'dist', 'playbook-runner.mjs');
/** What issue 4 allows process, policy and journal to add to one run. */
const TARGET_MS = 150;

const SOURCE = `import { definePlaybook } from 'grace-runtime';

export default definePlaybook({
  name: 'mend', description: 'two steps', risk: 'low', tier: 'tier_1', service: 'x', match: {}, params: { path: 'data' },
  async run(ctx) {
    await ctx.step('one', 'nothing', { path: ctx.params.path });
    await ctx.step('two', 'nothing', { path: ctx.params.path });
  },
});
`;

/** A primitive that takes no time: all that is measured is what is around it. */
const nothing: Primitive = {
  name: 'nothing',
  description: '',
  risk: 'low',
  parse: (params) => params,
  plan: async () => ({ state: 'ready', summary: '', targets: ['x'], undo: null }),
  apply: async () => ({ summary: '', changed: [] }),
  undo: async () => undefined,
};
const primitives = new Map([[nothing.name, nothing]]);
const noJournal: Journal = { write: async () => undefined, entries: async () => [] };

const REQUEST: RunPlaybook = {
  action: 'run_playbook',
  actor: { kind: 'grace', name: 'grace' },
  playbook: 'mend',
  component: 'api',
  risk: 'medium',
  tier: 'tier_2',
  origin: 'generated',
  primitives: ['restore_file', 'restart_component'],
  phase: 'boot',
  mode: 'normal',
  environment: 'production',
  changesNoData: false,
  executeAtRuntime: false,
  approvals: 0,
  attempts: 0,
  failures: 0,
};

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { runs: { type: 'string', default: '30' }, help: { type: 'boolean', short: 'h' } } });
  if (values.help === true) return console.log(USAGE);
  if (!existsSync(RUNNER)) throw new Error(`${RUNNER} is not there: npm run -s build`);
  const { loadPlaybook } = (await import(RUNNER)) as typeof import('../src/adapters/node/playbook-runner.ts');
  const dir = mkdtempSync(join(tmpdir(), 'grace-bench-playbook-'));
  const store = await openStore(join(dir, 'grace.db'));
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const around = { redact: (text: string) => text, logger, marks: { describe: 'bench/.checks', run: 'bench/.fixes' } };
  const load = (): Promise<LoadedPlaybook> => loadPlaybook(join(dir, 'mend.ts'), SOURCE, around);
  const playbook = await load();
  const inProcess: LoadedPlaybook = {
    ...playbook,
    async run(ctx) {
      await ctx.step('one', 'nothing', ctx.params);
      await ctx.step('two', 'nothing', ctx.params);
    },
  };
  const journal = journalStore(store.db);
  let n = 0;
  const run = async (what: LoadedPlaybook, into: Journal): Promise<void> => {
    const context = { component: { name: 'api' }, signal: new AbortController().signal } as PrimitiveContext;
    const runId = `run_${++n}`;
    const outcome = await executePlaybook({
      runId,
      playbook: what,
      params: {},
      primitives,
      agreed: null,
      signal: context.signal,
      limits: { stepMs: 60_000, endMs: 1000, after: (ms) => AbortSignal.timeout(ms) },
      contextFor: () => context,
      journal: into,
      onStep: () => undefined,
    });
    if (!outcome.success || outcome.changes !== 2) throw new Error(`the run failed: ${JSON.stringify(outcome.results)}`);
  };
  const limits = openLimits(store, nodeClock);
  const policy = cedarPolicy([]);
  const recorded = recordedDecisions(policy, { record: decisionStore(store.db), clock: nodeClock, ids: nodeIds });
  const playbooks = playbookStore(store.db);
  const settings = { perHour: 1e9, cooldownMs: 300_000, breakerAfter: 3, stabilityMs: 120_000 };
  writeFileSync(
    join(dir, 'grace.config.json'),
    JSON.stringify({ name: 'bench', components: { api: { command: [process.execPath, '-e', '0'] } } }),
  );
  const config = await loadConfig({ directory: dir, environment: {} });
  const component = config.components[0];
  if (component === undefined) throw new Error('there is no component');
  const snapshots = await openSnapshots({
    config,
    spawner: nodeSpawner,
    redactor: new Redactor(),
    playbooks,
    environmentOf: async () => ({}),
    isRunning: () => false,
  });
  const takeSnapshot = (runId: string): Promise<unknown> => {
    // What is kept once is not kept again: each of them has something new to keep.
    writeFileSync(join(dir, 'settings.json'), JSON.stringify({ runId, filler: 'x'.repeat(2000) }));
    const about = { reason: 'pre_heal' as const, runId, bootId: 'boot_20260101_000000', signature: null, playbook: 'mend' };
    return snapshots.take(component, { ...about, paths: [join(dir, 'settings.json')], databases: false }, new AbortController().signal);
  };
  /** What the healer does around a run, in its order: what is asked, kept and stored. */
  const healed = async (what: LoadedPlaybook): Promise<void> => {
    const counted = (await playbooks.runsSince(Date.now() - 3_600_000)).map((r): CountedRun => ({ ...r, outcome: 'open' }));
    const asked = { playbook: 'mend', component: 'api', signature: null, phase: 'boot' as const };
    if (limitReached(asked, counted, await limits.breakers(), settings, Date.now()) !== null) throw new Error('a limit was reached');
    if ((await recorded.decide(REQUEST)).verdict !== 'allow_with_notice') throw new Error('it was not allowed');
    const id = `healed_${++n}`;
    const lease = await limits.lease('api', id);
    const stored: PlaybookRun = {
      id, playbook: 'mend', hash: '', component: 'api', bootId: 'boot_20260101_000000', signature: null, failureId: null, scope: 'process',
      confidence: 1, restart: true, decision: '', startedAtMs: Date.now(), endedAtMs: null, state: 'running',
    }; // prettier-ignore
    await playbooks.saveRun(stored);
    await takeSnapshot(id);
    await run(what, journal);
    await playbooks.saveRun({ ...stored, state: 'applied', endedAtMs: Date.now() });
    await lease?.release();
  };
  const subjects: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['bare child process (node -e 0)', bareChild],
    ['two steps in this process, no journal', () => run(inProcess, noJournal)],
    ['two steps in this process, journal', () => run(inProcess, journal)],
    ['two steps in a process of their own, journal', () => run(playbook, journal)],
    ['the same under lease, policy, record, snapshot, limits', () => healed(playbook)],
    ['of that: lease taken and given back', async () => (await limits.lease('api', 'x'))?.release()],
    ['of that: policy decision', () => policy.decide(REQUEST)],
    ['of that: policy decision and its record', () => recorded.decide(REQUEST)],
    ['of that: snapshot of one file', () => takeSnapshot(`snap_run_${++n}`)],
    ['reading a new or changed file, once', load],
  ];
  const samples = new Map<string, number[]>(subjects.map(([name]) => [name, []]));
  // They take turns within each round; the first one warms up.
  for (let round = 0; round <= Number(values.runs); round++)
    for (const [name, subject] of subjects) {
      const startMs = performance.now();
      await subject();
      if (round > 0) samples.get(name)?.push(performance.now() - startMs);
    }
  store.close();
  rmSync(dir, { recursive: true, force: true });

  console.log(`Node ${process.version}, namespaces: ${(await namespaces()).length > 0 ? 'yes' : 'no'}, ${values.runs} rounds\n`);
  for (const [name, ms] of samples) console.log(`${name.padEnd(48)} ${shown(ms)}`);
  const [bare = 0, plain = 0, , own = 0, all = 0, , , , , read = 0] = [...samples.values()].map(median);
  console.log(`\nadded by all of it to one run:     ${(all - plain).toFixed(0)} ms (target: below ${TARGET_MS} ms)`);
  console.log(
    `added by process and journal:                  ${(own - plain).toFixed(0)} ms (a bare start is ${bare.toFixed(0)} ms; target: below ${TARGET_MS} ms)`,
  );
  console.log(`added to the first run of a file:  ${(own - plain + read).toFixed(0)} ms`);
}

function bareChild(): Promise<void> {
  return new Promise((resolve, reject) => {
    spawn(process.execPath, ['-e', '0'], { env: {}, stdio: 'ignore' })
      .once('error', reject)
      .once('exit', () => resolve());
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function shown(ms: readonly number[]): string {
  return `${median(ms).toFixed(1)} ms (${Math.min(...ms).toFixed(1)} to ${Math.max(...ms).toFixed(1)})`;
}

await main();
