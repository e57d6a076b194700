import { existsSync, readFileSync } from 'node:fs';
import { effectiveTier, isEarned, looser, tellStanding, type AutonomyTier } from '../../domains/governance/index.ts';
import { standingsOf } from '../../domains/healing/index.ts';
import { trackRecord } from '../../domains/learning/index.ts';
import type { PlaybookRun, RegisteredPlaybook, RunState } from '../../domains/playbooks/index.ts';
import { formatDuration, sha256Hex } from '../../kernel/index.ts';
import type { Answer } from './answer.ts';
import type { AskPolicies } from './ask-policies.ts';
import { changeRequest } from './change-playbook.ts';
import { NotKnown, PlaybookFileGone } from './errors.ts';
import type { Memory } from './memory.ts';
import { fitted, paint, table } from './terminal.ts';
import { iso, when } from './when.ts';

const ALL_STATES: readonly RunState[] = ['running', 'applied', 'verified', 'failed', 'undone', 'interrupted'];
const RUNS_SHOWN = 5;

/** `grace playbooks list`. */
export async function listPlaybooks(memory: Memory): Promise<Answer> {
  const playbooks = await memory.playbooks.list();
  const tiers = new Map(await Promise.all(playbooks.map(async (p) => [p.name, await tierNow(memory, p)] as const)));
  const lines =
    playbooks.length === 0
      ? ['no playbooks yet: the first failure that can be mended writes one']
      : [
          fitted([
            ['playbook', 'risk', 'tier', 'component', 'verified', 'failed', 'origin', 'description'].map((title) => paint('dim', title)),
            ...playbooks.map((p) => [
              p.isEnabled ? p.name : paint('dim', `${p.name} (disabled)`),
              p.risk,
              tiers.get(p.name) === p.tier ? p.tier : paint('yellow', `${tiers.get(p.name) ?? ''} (file: ${p.tier})`),
              p.component ?? 'any',
              String(p.verifiedCount),
              p.failedCount === 0 ? '0' : paint('red', String(p.failedCount)),
              p.origin,
              p.description,
            ]),
          ]),
        ];
  return { exitCode: 0, data: playbooks.map((p) => ({ ...playbookJson(p), effective_tier: tiers.get(p.name) })), lines };
}

/** `grace playbooks show`: its header, how it has done, and the file as it is now. */
export async function showPlaybook(memory: Memory, name: string): Promise<Answer> {
  const p = await thePlaybook(memory, name);
  const runs = (await memory.playbooks.runsIn(...ALL_STATES)).filter((r) => r.playbook === name);
  const source = existsSync(p.file) ? readFileSync(p.file, 'utf8') : null;
  const fileState = source === null ? 'gone' : sha256Hex(source) === p.hash ? 'as registered' : 'changed since it was registered';
  const recoveryMs = meanRunMs(runs);
  const changes = await memory.tierChanges.of(name, p.hash);
  const effective = effectiveTier(p.tier, changes);
  const change = changes.at(-1);
  const standings = await standingsOf(memory, name, p.hash, memory.nowMs);
  const next = looser(p.tier);
  const isPromotable = next !== null && effective === p.tier && p.origin !== 'learned' && standings.length > 0 && standings.every(isEarned);
  const data = {
    ...playbookJson(p),
    effective_tier: effective,
    tier_change:
      change === undefined
        ? null
        : { kind: change.kind, from: change.from, to: change.to, by: change.by, at: iso(change.atMs), reason: change.reason },
    standings,
    could_be: isPromotable ? next : null,
    file_state: fileState,
    params: p.params,
    steps: p.steps,
    statistics: {
      verified: p.verifiedCount,
      failed: p.failedCount,
      success_rate: successRate(p),
      runs: runs.length,
      mean_run_ms: recoveryMs,
    },
    runs: runs
      .slice(-RUNS_SHOWN)
      .toReversed()
      .map((r) => ({ id: r.id, boot: r.bootId, component: r.component, state: r.state, at: iso(r.startedAtMs), decision: r.decision })),
    source,
  };
  const rate = successRate(p);
  const lines = [
    `${paint('bold', p.name)}  ${p.description}${p.isEnabled ? '' : paint('yellow', '  (disabled)')}`,
    '',
    table([
      ['  risk', `${p.risk}, ${p.tier}, severity ${p.severity}`],
      ['  for', `${p.component ?? 'any component'}, ${p.service}${p.family === null ? '' : `, family ${p.family}`}`],
      ['  version', `${p.version}, ${p.origin} ${when(p.createdAtMs, memory.nowMs)}`],
      ['  file', `${p.file} (${fileState === 'as registered' ? fileState : paint('yellow', fileState)})`],
      [
        '  so far',
        rate === null
          ? 'never verified and never failed'
          : `${trackRecord(p)} (${Math.round(rate * 100)} %)` + (recoveryMs === null ? '' : `, takes ${formatDuration(recoveryMs)}`),
      ],
      ...(change === undefined
        ? []
        : [['  tier now', `${effective}: ${change.kind} by ${change.by} ${when(change.atMs, memory.nowMs)}, ${change.reason}`]]),
      ...standings.map((s, i) => [i === 0 ? '  autonomy' : '', tellStanding(s)]),
      ...(isPromotable ? [['', `could be ${next}: grace playbooks promote ${p.name} --to ${next} --reason …`]] : []),
      ...p.steps.map((s, i) => [i === 0 ? '  steps' : '', `${i + 1}. ${s.name} ${paint('dim', `(${s.primitive})`)}`]),
      ...runs
        .slice(-RUNS_SHOWN)
        .toReversed()
        .map((r, i) => [i === 0 ? '  runs' : '', `${when(r.startedAtMs, memory.nowMs)}: ${r.state} in ${r.bootId}`]),
    ]),
    ...(source === null ? [] : ['', source.trimEnd()]),
  ];
  return { exitCode: 0, data, lines };
}

/** `grace playbooks enable|disable`. @throws ActionRefused, and PlaybookFileGone when there is nothing left to enable */
export async function setEnabled(memory: Memory, name: string, isEnabled: boolean, ask: AskPolicies): Promise<Answer> {
  const p = await thePlaybook(memory, name);
  if (isEnabled && !existsSync(p.file)) throw new PlaybookFileGone(p.name, p.file);
  const word = isEnabled ? 'enabled' : 'disabled';
  const changed = p.isEnabled !== isEnabled;
  if (changed) {
    const tier = await tierNow(memory, p);
    const verb = isEnabled ? 'enable' : 'disable';
    await ask({
      request: (about) => changeRequest(about, p, { change: verb, tier, toTier: tier }),
      what: `to ${verb} ${p.name}`,
      occasion: `${verb} ${p.hash}`,
      summary: [`${verb} ${p.name}: ${p.description}`],
    });
    await memory.playbooks.save({ ...p, isEnabled });
  }
  return {
    exitCode: 0,
    data: { ...playbookJson({ ...p, isEnabled }), changed },
    lines: [`${p.name} is ${changed ? 'now' : 'already'} ${word}${isEnabled ? '' : ': it and its guard do not run any more'}`],
  };
}

async function tierNow(memory: Memory, p: RegisteredPlaybook): Promise<AutonomyTier> {
  return effectiveTier(p.tier, await memory.tierChanges.of(p.name, p.hash));
}

async function thePlaybook(memory: Memory, name: string): Promise<RegisteredPlaybook> {
  const playbook = await memory.playbooks.get(name);
  if (playbook === null) throw new NotKnown('playbook', name, 'see the known ones with: grace playbooks list');
  return playbook;
}

/** Share of verified among those judged; null when none was. */
export function successRate(p: RegisteredPlaybook): number | null {
  const judged = p.verifiedCount + p.failedCount;
  return judged === 0 ? null : p.verifiedCount / judged;
}

/** From the first step to the verified recovery. */
function meanRunMs(runs: readonly PlaybookRun[]): number | null {
  const took = runs.flatMap((r) => (r.state === 'verified' && r.endedAtMs !== null ? [r.endedAtMs - r.startedAtMs] : []));
  return took.length === 0 ? null : Math.round(took.reduce((sum, ms) => sum + ms, 0) / took.length);
}

function playbookJson(p: RegisteredPlaybook): Readonly<Record<string, unknown>> {
  return {
    name: p.name,
    description: p.description,
    risk_level: p.risk,
    autonomy_tier: p.tier,
    service: p.service,
    severity: p.severity,
    version: p.version,
    hash: p.hash,
    file: p.file,
    origin: p.origin,
    family: p.family,
    component: p.component,
    enabled: p.isEnabled,
    verified: p.verifiedCount,
    failed: p.failedCount,
    created_at: iso(p.createdAtMs),
  };
}
