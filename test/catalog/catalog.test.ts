import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cedarPolicy } from '../../src/adapters/policy/index.ts';
import { openStore } from '../../src/adapters/store/index.ts';
import { families } from '../../src/catalog/families/index.ts';
import { approve } from '../../src/domains/governance/index.ts';
import type { GraceEvent, Healer } from '../../src/domains/healing/index.ts';
import type { Captured } from '../../src/domains/learning/index.ts';
import type { Problem } from '../../src/domains/supervisor/index.ts';
import { bootId } from '../../src/kernel/index.ts';
import { compose } from '../../src/runtime/compose.ts';
import { loadConfig } from '../../src/runtime/config/index.ts';
import { isHealed, runService, World, type Heals, type Specimen } from './specimen.ts';

type HealResult = Awaited<ReturnType<Healer['heal']>>;

const FOLDER = join(import.meta.dirname, 'specimens');
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

const specimens: Specimen[] = [];
for (const file of readdirSync(FOLDER).toSorted()) {
  const module = (await import(join(FOLDER, file))) as { readonly specimens: readonly Specimen[] };
  specimens.push(...module.specimens);
}

describe.each([...Map.groupBy(specimens, (s) => s.family)])('%s', (_, group) => {
  test.each(group.map((s) => [s.title, s] as const))('%s', async (_title, specimen) => {
    const { world, grace, spec, attempt, events } = await settled(specimen);
    await specimen.breaks(world);
    const { result, captured } = await attempt();
    const diagnosed = last(events, 'diagnosed');
    expect({ family: diagnosed?.family, cause: diagnosed?.cause }).toEqual({ family: specimen.family, cause: expect.anything() });
    expect(diagnosed?.cause).toMatch(specimen.expects.cause);
    if (!isHealed(specimen.expects)) {
      expect(result.state, said(events)).toBe('hold');
      expect(diagnosed?.advice.join('\n')).toMatch(specimen.expects.person);
      if (specimen.expects.waitFor !== undefined) expect(result).toMatchObject({ waitFor: { kind: specimen.expects.waitFor } });
      return;
    }
    const { playbook, risk, tier, provenBy } = specimen.expects;
    expect(last(events, 'playbook_chosen'), said(events)).toMatchObject({ playbook, risk, tier });
    if (provenBy !== undefined) return;
    const applied = result.state === 'needs_approval' ? await approved(result, captured) : result;
    expect(applied, said(events)).toMatchObject({ state: 'applied' });
    expect(await runs(), 'the fix heals it').toMatchObject({ isWell: true });
    await proven(applied, specimen.expects);

    async function runs() {
      const { argv, env, openFiles } = await grace.launchOf(spec);
      const outcome = runService(argv, spec.cwd, env, openFiles);
      const { isWell = 'true' } = specimen;
      return { ...outcome, isWell: outcome.isWell && runService(['sh', '-c', isWell], spec.cwd, env, null).isWell };
    }

    async function approved(asked: Extract<HealResult, { state: 'needs_approval' }>, failed: Captured): Promise<HealResult> {
      let approval = await grace.approvals.get(asked.approval);
      for (const person of ['anna', 'ben'])
        if (approval !== null && approval.approvedBy.length < approval.requiredApprovals) approval = approve(approval, person, Date.now());
      if (approval !== null) await grace.approvals.save(approval);
      return grace.healer.heal({
        captured: failed,
        component: spec,
        phase: 'boot',
        scope: 'process',
        attempts: [],
        signal: AbortSignal.timeout(60_000),
      });
    }

    async function proven(heal: HealResult, { noGuard }: Heals): Promise<void> {
      if (heal.state !== 'applied') return;
      await grace.healer.applied.confirm(heal.run);
      expect(await grace.core.guards(spec), 'a healed machine gives no alarm').toEqual([]);
      await specimen.cleans?.(world);
      await specimen.breaks(world);
      const seen = await grace.core.guards(spec);
      if (noGuard === undefined) expect(seen, 'the guard sees it before the boot').toMatchObject([{ fix: { playbook } }]);
      else expect(seen).toEqual([]);
    }
  });
});

/** Families that no single failure shows, with the test of real processes that proves each. */
const SHOWN_ELSEWHERE: Readonly<Record<string, string>> = {
  release_failing: 'test/process/release-rollback.test.ts',
};

test('has a specimen for every family', () => {
  const shown = new Set([...specimens.map((s) => s.family), ...Object.keys(SHOWN_ELSEWHERE)]);
  for (const path of Object.values(SHOWN_ELSEWHERE)) expect(existsSync(join(import.meta.dirname, '..', '..', path)), path).toBe(true);
  expect(families.map((f) => f.name).filter((name) => !shown.has(name))).toEqual([]);
  expect([...shown].filter((name) => !families.some((f) => f.name === name))).toEqual([]);
});

test('knows at least sixty families', () => {
  expect(families.length).toBeGreaterThanOrEqual(60);
});

/** The world of a specimen after a good boot, and a Grace that looks after it. */
async function settled(specimen: Specimen) {
  const world = new World(specimen);
  onTestFinished(async () => {
    await specimen.cleans?.(world);
    world.end();
  });
  const logFile = join(world.home, 'app.log');
  const config = { components: { app: { command: [...specimen.command], ...specimen.component, log: logFile } }, ...specimen.config };
  world.write('grace.config.json', JSON.stringify(config));
  const environment = { PATH: `${world.bin}:${process.env['PATH'] ?? ''}`, HOME: world.home, LANG: 'C.UTF-8', ...specimen.env };
  const loaded = await loadConfig({ directory: world.dir, environment });
  const store = await openStore(join(loaded.dataDir, 'grace.db'));
  onTestFinished(() => store.close());
  const events: GraceEvent[] = [];
  const id = bootId('boot_20260101_000000');
  const grace = await compose({
    config: loaded,
    environment,
    store,
    bootId: id,
    emit: (event) => events.push(event),
    logger: SILENT,
    signal: new AbortController().signal,
    policy: cedarPolicy([]),
    policyFiles: [],
    isDryRun: false,
    home: loaded.dataDir,
  });
  const spec = loaded.components.find((c) => c.name === 'app');
  if (spec === undefined) throw new Error('the configuration has no component "app"');
  await grace.core.syncPlaybooks();
  await specimen.prepares?.(world);
  if (specimen.isFirstBoot !== true) await grace.keepAsGood();

  /** Fails once, and lets Grace heal it. */
  async function attempt() {
    const component = spec as NonNullable<typeof spec>;
    const { symptom = 'exit', stage = '6. Autonomy Load', facts = [], probe = '' } = specimen;
    const { argv, env, openFiles } = await grace.launchOf(component);
    const isRun = symptom === 'exit' || symptom === 'spawn' || specimen.recording !== null;
    const outcome = isRun ? runService(argv, component.cwd, env, openFiles) : null;
    expect(outcome?.isWell ?? false, 'it fails once it is broken').toBe(false);
    writeFileSync(logFile, outcome?.output ?? '');
    const exit = symptom === 'exit' && outcome !== null ? { exitCode: outcome.exitCode, signal: outcome.signal } : null;
    const how = exit?.signal != null ? `was ended by ${exit.signal}` : `ended with exit code ${exit?.exitCode ?? 1}`;
    const problem: Problem = {
      symptom,
      message: specimen.message ?? `it ${how}`,
      exit,
      spawnCode: symptom === 'spawn' ? (outcome?.spawnCode ?? 'ENOENT') : null,
      afterMs: 200,
      probeDetail: probe,
      vitals:
        specimen.vitals === undefined
          ? null
          : { state: 'S', cpuMs: 100, ranMs: 100, waitedMs: 0, rssBytes: 80 << 20, openFiles: 20, uid: 0, gid: 0, ...specimen.vitals },
    };
    const given = facts.map((f) => ({ runtime: 'grace' as const, code: f.kind.toUpperCase(), details: {}, line: '', lineIndex: 0, ...f }));
    const captured = await grace.supervision.desk.capture(component, stage, problem, { from: 0, to: null }, '', given);
    const phase = stage === 'runtime' ? 'runtime' : 'boot';
    const result = await grace.healer.heal({
      captured,
      component,
      phase,
      scope: 'process',
      attempts: [],
      signal: AbortSignal.timeout(60_000),
    });
    return { result, captured };
  }

  return { world, grace, spec, attempt, events };
}

function last<T extends GraceEvent['type']>(events: readonly GraceEvent[], type: T): Extract<GraceEvent, { type: T }> | undefined {
  return events.findLast((e): e is Extract<GraceEvent, { type: T }> => e.type === type);
}

/** What happened, for whoever has to mend a specimen. */
function said(events: readonly GraceEvent[]): string {
  return events.map((event) => JSON.stringify(event)).join('\n');
}
