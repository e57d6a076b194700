import { sql } from 'kysely';
import { nodeClock } from '../../adapters/node/clock.ts';
import { nodeSpawner } from '../../adapters/node/spawner.ts';
import { REQUIRED_TABLES, SCHEMA_VERSION, type OpenedStore, type SnapshotStore } from '../../adapters/store/index.ts';
import { METRICS_CATALOG, PROACTIVE_RULES } from '../../catalog/metrics/index.ts';
import type { CoreChecks } from '../../domains/boot/index.ts';
import { registerShipped, syncPlaybooks, type Healer, type PlaybookLibrary } from '../../domains/healing/index.ts';
import type { LastGoodKeeper } from '../../domains/learning/index.ts';
import type { PlaybookStore } from '../../domains/playbooks/index.ts';
import type { BootId } from '../../kernel/index.ts';
import type { Audit } from '../audit.ts';
import type { GraceConfig } from '../config/index.ts';
import type { ServiceDatabases } from '../service-databases.ts';
import type { EventBus } from './event-bus.ts';

/** What others answer goes through as it is. */
export interface CoreChecksOptions extends Pick<CoreChecks, 'environmentOf' | 'guards' | 'preflight'> {
  readonly config: Pick<GraceConfig, 'preflight'>;
  readonly bootId: BootId;
  readonly store: OpenedStore;
  readonly snapshots: SnapshotStore;
  readonly playbooks: PlaybookStore;
  readonly library: PlaybookLibrary;
  readonly audit: Audit | null;
  readonly bus: EventBus;
  readonly databases: ServiceDatabases;
  readonly lastGood: LastGoodKeeper;
  readonly healer: Healer;
  /** The environment of the person who started Grace. */
  readonly caller: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const SPAWN_MS = 10_000;

/** Answers what the stages of a boot ask about Grace's own parts. */
export function coreChecks(options: CoreChecksOptions): CoreChecks {
  const { config, bootId, store, snapshots, audit, databases, lastGood, signal } = options;
  return {
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
    meshRoundTrip: () => options.bus.roundTrip(),
    async spine() {
      await audit?.head();
      const argv = [process.execPath, '--version'];
      const run = await nodeSpawner.run(argv, { cwd: '/', env: {}, timeoutMs: SPAWN_MS, signal });
      return {
        governance: audit?.trouble ?? null,
        executor:
          run.exitCode === 0 ? null : `${process.execPath} cannot be started (${run.spawnErrorCode ?? run.signal ?? run.exitCode ?? ''})`,
      };
    },
    environmentOf: options.environmentOf,
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
    preflight: options.preflight,
    guards: options.guards,
    async runGuardFix(spec, found, phase, until) {
      if (found.fix === null) return { state: 'nothing_to_do', detail: '' };
      return options.healer.prevent(found.fix.playbook, spec, bootId, until, phase);
    },
    async syncPlaybooks() {
      const { library, playbooks } = options;
      // Once per store: they are written down when it is made.
      if (store.isNew) await registerShipped((await import('../../catalog/playbooks/index.ts')).shippedPlaybooks, playbooks, nodeClock);
      return syncPlaybooks(library, playbooks, nodeClock);
    },
    metricsCatalog: () => ({ metrics: METRICS_CATALOG.length, rules: PROACTIVE_RULES.length }),
    consoleEncoding: () => consoleEncoding(options.caller),
  };
}

function consoleEncoding(env: Readonly<Record<string, string>>): 'utf-8' | 'ascii' | 'other' {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  if (/utf-?8/i.test(locale)) return 'utf-8';
  return locale === '' || locale === 'C' || locale === 'POSIX' ? 'ascii' : 'other';
}
