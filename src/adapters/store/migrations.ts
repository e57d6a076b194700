import { sql, type Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/** Each takes the store from the version before to its own; never edited once released, only added to. */
export const MIGRATIONS: readonly ((db: Kysely<Tables>) => Promise<void>)[] = [
  firstTables,
  groupingRules,
  boundApprovals,
  countedRuns,
  governedActions,
  earnedAutonomy,
  auditLog,
  endOfUndo,
  openedMissions,
  expiredApprovals,
  namesOfRuleMakers,
  usedApprovals,
];

/** The version this Grace writes. A store with a higher one belongs to a newer Grace. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Tables every working store has: stage 1 looks for them. */
export const REQUIRED_TABLES = [
  'boots',
  'failures',
  'patterns',
  'explanations',
  'playbooks',
  'playbook_runs',
  'playbook_steps',
  'approvals',
  'processes',
  'overrides',
  'last_good',
  'snapshots',
  'metrics',
  'grouping_rules',
  'breakers',
  'leases',
  'tries',
  'decisions',
  'mode_changes',
  'requests',
  'policy_texts',
  'tier_changes',
  'shadow_records',
  'audit_entries',
  'audit_nodes',
  'audit_checkpoints',
  'audit_keys',
  'audit_state',
  'audit_set_aside',
] as const;

async function firstTables(db: Kysely<Tables>): Promise<void> {
  const statements = [
    `create table boots (id text primary key, started_at integer not null, ended_at integer, outcome text not null,
       mode text not null, is_verified integer not null default 0, report text not null, fingerprint text not null)`,
    `create index boots_by_time on boots (started_at)`,
    `create table failures (id text primary key, boot_id text not null, at integer not null, stage text not null,
       component text not null, symptom text not null, signature text not null, body text not null)`,
    `create index failures_by_signature on failures (signature, at)`,
    `create index failures_by_boot on failures (boot_id, at)`,
    `create table patterns (signature text primary key, incident_id text not null unique, family text not null,
       component text not null, stage text not null, family_name text, template text not null, root_cause text not null,
       occurrences integer not null, first_seen integer not null, last_seen integer not null, state text not null,
       playbook text, clean_boots integer not null default 0)`,
    `create table explanations (failure_id text primary key, signature text not null, boot_id text not null,
       at integer not null, body text not null)`,
    `create index explanations_by_time on explanations (at)`,
    `create table playbooks (name text primary key, description text not null, risk text not null, tier text not null,
       service text not null, severity text not null, version integer not null, hash text not null, file text not null,
       origin text not null, family text, signature text, component text, params text not null, steps text not null,
       enabled integer not null default 1, created_at integer not null, verified integer not null default 0,
       failed integer not null default 0)`,
    `create table playbook_runs (id text primary key, playbook text not null, hash text not null, component text not null,
       boot_id text not null, signature text, state text not null, decision text not null, started_at integer not null,
       ended_at integer)`,
    `create index playbook_runs_by_state on playbook_runs (state)`,
    `create table playbook_steps (run_id text not null, step_index integer not null, step text not null,
       primitive text not null, params text not null, undo text not null, state text not null, summary text not null,
       primary key (run_id, step_index))`,
    `create table approvals (id text primary key, playbook text not null, component text not null,
       incident_id text not null, summary text not null, binding_hash text not null, required integer not null,
       approved_by text not null, rejected_by text, created_at integer not null, expires_at integer not null)`,
    `create table processes (component text primary key, pid integer not null, start_ticks integer not null,
       machine_boot_id text not null, spec_hash text not null, launched_at integer not null, log_offset integer not null,
       uid integer)`,
    `create table overrides (component text primary key, body text not null)`,
    `create table last_good (component text not null, path text not null, kind text not null, mode integer not null,
       uid integer not null, gid integer not null, size integer not null, mtime real not null, digest text not null,
       has_content integer not null, boot_id text not null, primary key (component, path))`,
    `create table snapshots (component text not null, kind text not null, boot_id text not null, body text not null,
       primary key (component, kind))`,
    `create table metrics (boot_id text not null, name text not null, component text not null, at integer not null,
       value real not null)`,
    `create index metrics_by_boot on metrics (boot_id, name)`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

async function groupingRules(db: Kysely<Tables>): Promise<void> {
  await sql
    .raw(
      `create table grouping_rules (id text primary key, kind text not null, signature text not null, target text not null,
         author text not null, at integer not null, reason text not null, taken_back_by text, taken_back_at integer)`,
    )
    .execute(db);
}

/** Who asked, the plan that was agreed to, and what approvers call themselves. */
async function boundApprovals(db: Kysely<Tables>): Promise<void> {
  for (const statement of [
    `alter table approvals add column requested_by text`,
    `alter table approvals add column foreseen text`,
    `alter table approvals add column claimed_names text not null default '{}'`,
  ])
    await sql.raw(statement).execute(db);
}

/** What a run was for, what a step has seen before it acted, and limits that a crash does not forget. */
async function countedRuns(db: Kysely<Tables>): Promise<void> {
  for (const statement of [
    `alter table playbook_runs add column failure_id text`,
    `alter table playbook_runs add column scope text not null default 'process'`,
    `alter table playbook_runs add column confidence real not null default 1`,
    `alter table playbook_runs add column restart integer not null default 1`,
    `create index playbook_runs_by_time on playbook_runs (started_at)`,
    `alter table playbook_steps add column targets text not null default '[]'`,
    `alter table playbook_steps add column before text not null default 'null'`,
    `alter table playbook_steps add column after text not null default 'null'`,
    `create table breakers (id text primary key, kind text not null, playbook text, component text, opened_at integer not null,
       reason text not null, closed_at integer, closed_by text, close_reason text)`,
    `create table leases (component text primary key, run_id text not null, holder text not null, at integer not null)`,
    `create table tries (component text not null, scope text not null, since integer not null, primary key (component, scope))`,
  ])
    await sql.raw(statement).execute(db);
}

/** What was decided and by whom, the mode, what people ask of the Grace that runs, and the policies that are in force. */
async function governedActions(db: Kysely<Tables>): Promise<void> {
  for (const statement of [
    `alter table approvals add column action text not null default 'run_playbook'`,
    `create table decisions (seq integer primary key autoincrement, id text not null unique, at integer not null, actor text not null,
       actor_kind text not null, action text not null, subject text not null, component text not null, verdict text not null,
       reason text not null, policies text not null, approval text, asked text not null)`,
    `create index decisions_by_component on decisions (component, seq)`,
    `create table mode_changes (seq integer primary key autoincrement, id text not null unique, mode text not null, at integer not null,
       author text not null, claimed_name text, reason text not null, until integer, fallback text not null)`,
    `create table requests (id text primary key, action text not null, component text not null, author text not null,
       claimed_name text, reason text not null, asked_at integer not null, state text not null, approval text, detail text not null)`,
    `create index requests_by_state on requests (state, asked_at)`,
    `create table policy_texts (digest text primary key, files text not null, state text not null, since integer not null,
       reason text not null, approval text)`,
  ])
    await sql.raw(statement).execute(db);
}

/** Tiers that were promoted or demoted, and what would have been done where it was not allowed. */
async function earnedAutonomy(db: Kysely<Tables>): Promise<void> {
  for (const statement of [
    `create table tier_changes (id text primary key, playbook text not null, hash text not null, kind text not null,
       from_tier text not null, to_tier text not null, by text not null, at integer not null, reason text not null)`,
    `create index tier_changes_by_playbook on tier_changes (playbook, hash, at)`,
    `create table shadow_records (id text primary key, playbook text not null, component text not null, signature text not null,
       score text not null, first_at integer not null, body text not null)`,
    `create index shadow_records_by_score on shadow_records (component, score)`,
    `create index shadow_records_by_signature on shadow_records (signature)`,
    `create index shadow_records_by_time on shadow_records (first_at)`,
  ])
    await sql.raw(statement).execute(db);
}

/** The audit log; what was set aside is what a person found in the place of entries that were never acknowledged. */
async function auditLog(db: Kysely<Tables>): Promise<void> {
  for (const statement of [
    `create table audit_entries (first integer primary key, leaves blob not null, bodies blob not null)`,
    `create table audit_nodes (level integer not null, position integer not null, hash blob not null,
       primary key (level, position)) without rowid`,
    `create table audit_checkpoints (size integer primary key, at integer not null, note text not null)`,
    `create table audit_keys (number integer primary key, vkey text not null unique, from_sequence integer not null,
       at integer not null)`,
    `create table audit_state (name text primary key, value text not null) without rowid`,
    `create table audit_set_aside (at integer not null, first integer not null, leaves blob not null, bodies blob not null)`,
  ])
    await sql.raw(statement).execute(db);
}

/** What a run is once its undo is done: a crash in between must not forget it. */
async function endOfUndo(db: Kysely<Tables>): Promise<void> {
  await sql.raw(`alter table playbook_runs add column ends_as text`).execute(db);
}

/** What is wrong and no playbook may mend. */
async function openedMissions(db: Kysely<Tables>): Promise<void> {
  for (const statement of [
    `create table missions (id text primary key, key text not null, component text not null, state text not null,
       opened_at integer not null, closed_at integer, body text not null)`,
    `create index missions_by_state on missions (state, opened_at)`,
  ])
    await sql.raw(statement).execute(db);
}

/** Whether it is in the audit log that nobody answered in time; of those that ended before there was this, nobody hears now. */
async function expiredApprovals(db: Kysely<Tables>): Promise<void> {
  await sql.raw(`alter table approvals add column expiry_told integer not null default 1`).execute(db);
}

/** What people call themselves who make a rule or take it back: beside who they are, as for modes. */
async function namesOfRuleMakers(db: Kysely<Tables>): Promise<void> {
  for (const name of ['claimed_name', 'taken_back_claimed_name'])
    await sql.raw(`alter table grouping_rules add column ${name} text`).execute(db);
}

/** A request of a person is for one run. */
async function usedApprovals(db: Kysely<Tables>): Promise<void> {
  await sql.raw(`alter table approvals add column used_at integer`).execute(db);
}
