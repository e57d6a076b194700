import { accessSync } from 'node:fs';
import { join } from 'node:path';
import { userName } from '../../adapters/node/user-name.ts';
import { openStore } from '../../adapters/store/index.ts';
import { labelOf, type ItemComparison, type ItemState, type Snapshot, type Snapshots } from '../../domains/snapshots/index.ts';
import { findConfigFile, loadConfig } from '../../runtime/config/index.ts';
import { actorOf } from '../../runtime/audit.ts';
import { auditBeside } from '../../runtime/audit-beside.ts';
import { auditedSnapshots } from '../../runtime/audited-repositories.ts';
import { repositories } from '../../runtime/repositories.ts';
import { snapshotsBeside } from '../../runtime/snapshots.ts';
import type { Answer } from './answer.ts';
import { askPolicies, settingsOf, type AskPolicies } from './ask-policies.ts';
import { NotKnown, NothingBootedYet } from './errors.ts';
import type { LookOptions } from './memory.ts';
import { fitted, paint, table } from './terminal.ts';
import { count, iso, when } from './when.ts';

/**
 * Opens the snapshots of the service in this folder. What belongs to a component, and how to get into its database, comes from
 * the configuration.
 * @throws NothingBootedYet, ConfigInvalid
 */
export async function withSnapshots(
  options: LookOptions,
  ask: (snapshots: Snapshots, policies: AskPolicies) => Promise<Answer>,
): Promise<Answer> {
  const directory = process.cwd();
  const hasFile = options.config !== undefined || findConfigFile(directory) !== null;
  const config = await loadConfig({
    directory,
    configFile: options.config,
    command: hasFile ? undefined : ['grace'], // looking needs nothing to run
    environment: process.env,
    flags: { dataDir: options.dataDir },
  });
  const file = join(config.dataDir, 'grace.db');
  try {
    accessSync(file);
  } catch {
    throw new NothingBootedYet(config.dataDir);
  }
  const store = await openStore(file);
  const audit = auditBeside(config.dataDir, config.name);
  try {
    const policies = askPolicies({ ...repositories(store, audit, actorOf(userName())), nowMs: Date.now() }, settingsOf(config), userName());
    return await ask(auditedSnapshots(await snapshotsBeside(config, process.env, store), audit, actorOf(userName())), policies);
  } finally {
    await audit.close();
    store.close();
  }
}

/** `grace snapshots list`: newest first. */
export async function listSnapshots(snapshots: Snapshots, nowMs: number): Promise<Answer> {
  const found = await snapshots.list();
  const lines =
    found.length === 0
      ? ['no snapshots yet: one is taken before Grace changes something']
      : [
          fitted([
            ['snapshot', 'taken', 'why', 'component', 'playbook', 'items', 'size', 'left out'].map((title) => paint('dim', title)),
            ...found.map((s) => [
              s.id,
              when(s.takenAtMs, nowMs),
              s.reason,
              s.component,
              s.playbook ?? '',
              String(s.items.length),
              sizeOf(s.sizeBytes),
              s.leftOut.length === 0 ? '' : String(s.leftOut.length),
            ]),
          ]),
        ];
  return { exitCode: 0, data: found.map(snapshotJson), lines };
}

/** `grace snapshots show`: its items, and how each differs from what is there now. */
export async function showSnapshot(snapshots: Snapshots, id: string, signal: AbortSignal, nowMs: number): Promise<Answer> {
  const snapshot = await theSnapshot(snapshots, id);
  const compared = await snapshots.compare(id, signal);
  const facts = [
    ['  taken', `${iso(snapshot.takenAtMs)}, ${when(snapshot.takenAtMs, nowMs)}`],
    ['  component', snapshot.component],
    ...(snapshot.playbook === null ? [] : [['  playbook', snapshot.playbook]]),
    ...(snapshot.signature === null ? [] : [['  failure', snapshot.signature]]),
    ...(snapshot.runId === null ? [] : [['  run', snapshot.runId]]),
    ...(snapshot.bootId === null ? [] : [['  boot', snapshot.bootId]]),
    ['  holds', `${count(snapshot.items.length, 'item')}, ${sizeOf(snapshot.sizeBytes)}`],
  ];
  return {
    exitCode: 0,
    data: { ...snapshotJson(snapshot), items: compared.map(comparisonJson) },
    lines: [
      `${paint('bold', snapshot.id)}  ${snapshot.reason}  ${paint('dim', snapshot.folder)}`,
      '',
      table(facts),
      '',
      ...comparisonLines(compared),
      ...snapshot.leftOut.map(({ what, why }) => `  ${paint('yellow', 'left out')}  ${what}: ${why}`),
    ],
  };
}

/** @throws NotKnown */
export async function theSnapshot(snapshots: Snapshots, id: string): Promise<Snapshot> {
  const snapshot = await snapshots.get(id);
  if (snapshot === null) throw new NotKnown('snapshot', id, 'see the known ones with: grace snapshots list');
  return snapshot;
}

const WORDS: Readonly<Record<ItemState, string>> = {
  same: paint('green', 'same'),
  differs: paint('yellow', 'differs'),
  missing: paint('red', 'gone'),
  new: paint('yellow', 'new'),
  unknown: paint('red', 'unknown'),
};

export function comparisonLines(compared: readonly ItemComparison[]): readonly string[] {
  if (compared.length === 0) return ['  nothing is in it'];
  return [fitted(compared.map(({ item, state, how }) => [`  ${WORDS[state]}`, item.kind, labelOf(item), how]))];
}

export function comparisonJson({ item, state, how }: ItemComparison): Readonly<Record<string, unknown>> {
  return {
    kind: item.kind,
    name: labelOf(item),
    size_bytes: 'sizeBytes' in item ? item.sizeBytes : null,
    now: state,
    how: how === '' ? null : how,
  };
}

function snapshotJson(s: Snapshot): Readonly<Record<string, unknown>> {
  return {
    id: s.id,
    folder: s.folder,
    reason: s.reason,
    component: s.component,
    playbook: s.playbook,
    signature: s.signature,
    run_id: s.runId,
    boot_id: s.bootId,
    taken_at: iso(s.takenAtMs),
    size_bytes: s.sizeBytes,
    items: s.items.map((item) => ({ kind: item.kind, name: labelOf(item) })),
    left_out: s.leftOut,
  };
}

function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1_048_576 ? `${Math.round(bytes / 1024)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
