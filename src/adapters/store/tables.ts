import type { Generated } from 'kysely';

/** The store's tables as kysely sees them. Columns of type `Json` hold JSON text; times are epoch milliseconds. */
export interface Tables {
  grace_schema: { version: number };
  boots: {
    id: string;
    started_at: number;
    ended_at: number | null;
    outcome: 'running' | 'success' | 'failed' | 'interrupted' | 'stopped';
    mode: string;
    is_verified: number;
    report: string;
    fingerprint: string;
  };
  failures: {
    id: string;
    boot_id: string;
    at: number;
    stage: string;
    component: string;
    symptom: string;
    signature: string;
    body: string;
  };
  patterns: {
    signature: string;
    incident_id: string;
    family: string;
    component: string;
    stage: string;
    family_name: string | null;
    template: string;
    root_cause: string;
    occurrences: number;
    first_seen: number;
    last_seen: number;
    state: string;
    playbook: string | null;
    clean_boots: number;
  };
  explanations: { failure_id: string; signature: string; boot_id: string; at: number; body: string };
  playbooks: {
    name: string;
    description: string;
    risk: string;
    tier: string;
    service: string;
    severity: string;
    version: number;
    hash: string;
    file: string;
    origin: string;
    family: string | null;
    signature: string | null;
    component: string | null;
    params: string;
    steps: string;
    enabled: number;
    created_at: number;
    verified: number;
    failed: number;
  };
  playbook_runs: {
    id: string;
    playbook: string;
    hash: string;
    component: string;
    boot_id: string;
    signature: string | null;
    failure_id: string | null;
    scope: string;
    confidence: number;
    restart: number;
    state: string;
    decision: string;
    started_at: number;
    ended_at: number | null;
    ends_as: string | null;
  };
  playbook_steps: {
    run_id: string;
    step_index: number;
    step: string;
    primitive: string;
    params: string;
    targets: string;
    before: string;
    after: string;
    undo: string;
    state: string;
    summary: string;
  };
  approvals: {
    id: string;
    playbook: string;
    component: string;
    incident_id: string;
    summary: string;
    binding_hash: string;
    required: number;
    approved_by: string;
    rejected_by: string | null;
    created_at: number;
    expires_at: number;
    requested_by: string | null;
    foreseen: string | null;
    claimed_names: string;
    action: string;
    expiry_told: number;
    used_at: number | null;
  };
  processes: {
    component: string;
    pid: number;
    start_ticks: number;
    machine_boot_id: string;
    spec_hash: string;
    launched_at: number;
    log_offset: number;
    uid: number | null;
  };
  overrides: { component: string; body: string };
  last_good: {
    component: string;
    path: string;
    kind: string;
    mode: number;
    uid: number;
    gid: number;
    size: number;
    mtime: number;
    digest: string;
    has_content: number;
    boot_id: string;
  };
  snapshots: { component: string; kind: string; boot_id: string; body: string };
  /** `target` is the other signature of a merge, the part of a split. */
  grouping_rules: {
    id: string;
    kind: 'merge' | 'split';
    signature: string;
    target: string;
    author: string;
    at: number;
    reason: string;
    taken_back_by: string | null;
    taken_back_at: number | null;
    claimed_name: string | null;
    taken_back_claimed_name: string | null;
  };
  breakers: {
    id: string;
    kind: 'breaker' | 'storm';
    playbook: string | null;
    component: string | null;
    opened_at: number;
    reason: string;
    closed_at: number | null;
    closed_by: string | null;
    close_reason: string | null;
  };
  leases: { component: string; run_id: string; holder: string; at: number };
  tries: { component: string; scope: string; since: number };
  tier_changes: {
    id: string;
    playbook: string;
    hash: string;
    kind: 'promoted' | 'demoted';
    from_tier: string;
    to_tier: string;
    by: string;
    at: number;
    reason: string;
  };
  /** `body` is the whole record; the rest is for finding it. */
  shadow_records: {
    id: string;
    playbook: string;
    component: string;
    signature: string;
    score: string;
    first_at: number;
    body: string;
  };
  metrics: { boot_id: string; name: string; component: string; at: number; value: number };
  decisions: {
    seq: Generated<number>;
    id: string;
    at: number;
    actor: string;
    actor_kind: 'grace' | 'person';
    action: string;
    subject: string;
    component: string;
    verdict: string;
    reason: string;
    policies: string;
    approval: string | null;
    asked: string;
  };
  mode_changes: {
    seq: Generated<number>;
    id: string;
    mode: string;
    at: number;
    author: string;
    claimed_name: string | null;
    reason: string;
    until: number | null;
    fallback: string;
  };
  requests: {
    id: string;
    action: string;
    component: string;
    author: string;
    claimed_name: string | null;
    reason: string;
    asked_at: number;
    state: string;
    approval: string | null;
    detail: string;
  };
  /** `body` is the mission. */
  missions: {
    id: string;
    key: string;
    component: string;
    state: string;
    opened_at: number;
    closed_at: number | null;
    body: string;
  };
  policy_texts: {
    digest: string;
    files: string;
    state: string;
    since: number;
    reason: string;
    approval: string | null;
  };
  /**
   * A row for each transaction: `first` is the sequence of its first entry, `leaves` their hashes, `bodies` their canonical forms, a zero
   * byte before each, and nothing after it where the entry was dropped under retention.
   */
  audit_entries: { first: number; leaves: Uint8Array; bodies: Uint8Array };
  /** Roots of full subtrees, of every fourth level: `position` counts subtrees of that size. */
  audit_nodes: { level: number; position: number; hash: Uint8Array };
  audit_checkpoints: { size: number; at: number; note: string };
  /** Public halves only. */
  audit_keys: { number: number; vkey: string; from_sequence: number; at: number };
  audit_state: { name: string; value: string };
  audit_set_aside: { at: number; first: number; leaves: Uint8Array; bodies: Uint8Array };
}
