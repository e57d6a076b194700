import type { Kysely, Selectable } from 'kysely';
import type { AutonomyTier, Risk } from '../../domains/governance/index.ts';
import type {
  AttemptScope,
  Journal,
  JournalEntry,
  JournalState,
  PlaybookRun,
  PlaybookStore,
  RegisteredPlaybook,
  RemedyStep,
  RunState,
  UndoEnd,
} from '../../domains/playbooks/index.ts';
import type { Json, JsonObject } from '../../kernel/index.ts';
import { plainly, type Carry } from './carry.ts';
import type { Tables } from './tables.ts';

/**
 * @param carry how a run is written down
 * @param carryPlaybook how a playbook is
 */
export function playbookStore(
  db: Kysely<Tables>,
  carry: Carry<{ readonly run: PlaybookRun; readonly why: string | undefined }> = plainly(db),
  carryPlaybook: Carry<RegisteredPlaybook> = plainly(db),
): PlaybookStore {
  return {
    async get(name) {
      const row = await db.selectFrom('playbooks').selectAll().where('name', '=', name).executeTakeFirst();
      return row ? playbookFrom(row) : null;
    },
    async list() {
      return (await db.selectFrom('playbooks').selectAll().orderBy('name').execute()).map(playbookFrom);
    },
    async save(p) {
      const row = {
        name: p.name,
        description: p.description,
        risk: p.risk,
        tier: p.tier,
        service: p.service,
        severity: p.severity,
        version: p.version,
        hash: p.hash,
        file: p.file,
        origin: p.origin,
        family: p.family,
        signature: p.signature,
        component: p.component,
        params: JSON.stringify(p.params),
        steps: JSON.stringify(p.steps),
        enabled: p.isEnabled ? 1 : 0,
        created_at: p.createdAtMs,
        verified: p.verifiedCount,
        failed: p.failedCount,
      };
      const save = db
        .insertInto('playbooks')
        .values(row)
        .onConflict((c) => c.column('name').doUpdateSet(row));
      await carryPlaybook([save.compile()], p);
    },
    async saveRun(run, why) {
      const row = {
        id: run.id,
        playbook: run.playbook,
        hash: run.hash,
        component: run.component,
        boot_id: run.bootId,
        signature: run.signature,
        failure_id: run.failureId,
        scope: run.scope,
        confidence: run.confidence,
        restart: run.restart ? 1 : 0,
        state: run.state,
        decision: run.decision,
        started_at: run.startedAtMs,
        ended_at: run.endedAtMs,
        ends_as: run.endsAs ?? null,
      };
      const before = await db.selectFrom('playbook_runs').select('state').where('id', '=', run.id).executeTakeFirst();
      const save = db
        .insertInto('playbook_runs')
        .values(row)
        .onConflict((c) => c.column('id').doUpdateSet(row));
      const was = shownBy(before?.state as RunState | undefined);
      const is = shownBy(run.state);
      const count = db
        .updateTable('playbooks')
        .set((eb) => ({
          verified: eb.fn<number>('max', [eb.lit(0), eb('verified', '+', Number(is === 'verified') - Number(was === 'verified'))]),
          failed: eb.fn<number>('max', [eb.lit(0), eb('failed', '+', Number(is === 'failed') - Number(was === 'failed'))]),
        }))
        .where('name', '=', run.playbook);
      // In one: a crash in between would count a run twice, or never.
      await carry(was === is ? [save.compile()] : [save.compile(), count.compile()], { run, why });
    },
    async run(id) {
      const row = await db.selectFrom('playbook_runs').selectAll().where('id', '=', id).executeTakeFirst();
      return row ? runFrom(row) : null;
    },
    async runsIn(...states) {
      return (await db.selectFrom('playbook_runs').selectAll().where('state', 'in', states).orderBy('started_at').execute()).map(runFrom);
    },
    async runsSince(ms) {
      return (await db.selectFrom('playbook_runs').selectAll().where('started_at', '>=', ms).orderBy('started_at').execute()).map(runFrom);
    },
    async runsOf(bootId) {
      return (await db.selectFrom('playbook_runs').selectAll().where('boot_id', '=', bootId).orderBy('started_at').execute()).map(runFrom);
    },
  };
}

/** @param carry how an entry is written down */
export function journalStore(db: Kysely<Tables>, carry: Carry<JournalEntry> = plainly(db)): Journal {
  return {
    async write(entry) {
      const row = {
        run_id: entry.runId,
        step_index: entry.index,
        step: entry.step,
        primitive: entry.primitive,
        params: JSON.stringify(entry.params),
        targets: JSON.stringify(entry.targets),
        before: JSON.stringify(entry.before),
        after: JSON.stringify(entry.after ?? null),
        undo: JSON.stringify(entry.undo),
        state: entry.state,
        summary: entry.summary,
      };
      const save = db
        .insertInto('playbook_steps')
        .values(row)
        .onConflict((c) => c.columns(['run_id', 'step_index']).doUpdateSet(row));
      await carry([save.compile()], entry);
    },
    async entries(runId) {
      const rows = await db.selectFrom('playbook_steps').selectAll().where('run_id', '=', runId).orderBy('step_index').execute();
      return rows.map((row) => ({
        runId: row.run_id,
        index: row.step_index,
        step: row.step,
        primitive: row.primitive,
        params: JSON.parse(row.params) as Json,
        targets: JSON.parse(row.targets) as string[],
        before: JSON.parse(row.before) as Json,
        after: JSON.parse(row.after) as Json,
        undo: JSON.parse(row.undo) as Json,
        state: row.state as JournalState,
        summary: row.summary,
      }));
    },
  };
}

/** What a run shows about its playbook; null: nothing. */
function shownBy(state: RunState | undefined): 'verified' | 'failed' | null {
  switch (state) {
    case 'verified':
      return 'verified';
    case 'undone':
    case 'failed':
    case 'relapsed':
      return 'failed';
    case 'running':
    case 'applied':
    case 'inconclusive':
    case 'undoing':
    case 'refused':
    case 'interrupted':
    case undefined:
      return null;
  }
}

function playbookFrom(row: Selectable<Tables['playbooks']>): RegisteredPlaybook {
  return {
    name: row.name,
    description: row.description,
    risk: row.risk as Risk,
    tier: row.tier as AutonomyTier,
    service: row.service,
    severity: row.severity,
    version: row.version,
    hash: row.hash,
    file: row.file,
    origin: row.origin as RegisteredPlaybook['origin'],
    family: row.family,
    signature: row.signature,
    component: row.component,
    params: JSON.parse(row.params) as JsonObject,
    steps: JSON.parse(row.steps) as RemedyStep[],
    isEnabled: row.enabled === 1,
    createdAtMs: row.created_at,
    verifiedCount: row.verified,
    failedCount: row.failed,
  };
}

function runFrom(row: Selectable<Tables['playbook_runs']>): PlaybookRun {
  return {
    id: row.id,
    playbook: row.playbook,
    hash: row.hash,
    component: row.component,
    bootId: row.boot_id,
    signature: row.signature,
    failureId: row.failure_id,
    scope: row.scope as AttemptScope,
    confidence: row.confidence,
    restart: row.restart === 1,
    state: row.state as RunState,
    decision: row.decision,
    startedAtMs: row.started_at,
    endedAtMs: row.ended_at,
    ...(row.ends_as === null ? {} : { endsAs: row.ends_as as UndoEnd }),
  };
}
