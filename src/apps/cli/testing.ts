import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootStore, openStore } from '../../adapters/store/index.ts';
import type { Approval } from '../../domains/governance/index.ts';
import type { BootRecord, ComponentReport, StageReport } from '../../domains/boot/index.ts';
import type { Explanation, Failure, Pattern } from '../../domains/incidents/index.ts';
import type { RegisteredPlaybook } from '../../domains/playbooks/index.ts';
import { bootId, incidentId, signatureOf } from '../../kernel/index.ts';
import { askPolicies, type AskPolicies } from './ask-policies.ts';
import { openMemory, type Memory } from './memory.ts';

/** When the tests take place. */
export const NOW_MS = Date.UTC(2026, 5, 1, 12, 0, 0);
export const MINUTE_MS = 60_000;

/** A real store in a folder of its own, holding one boot so that it counts as used. */
export async function aMemory(...boots: readonly BootRecord[]): Promise<Memory & AsyncDisposable> {
  const dataDir = await mkdtemp(join(tmpdir(), 'grace-cli-'));
  const file = join(dataDir, 'grace.db');
  const filler = await openStore(file);
  for (const boot of boots.length === 0 ? [aBoot('boot_20260601_110000')] : boots) await bootStore(filler.db).save(boot);
  filler.close();
  const memory = await openMemory(dataDir);
  return {
    ...memory,
    nowMs: NOW_MS,
    async [Symbol.asyncDispose]() {
      await memory.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

const STAGES = [
  'Preflight Gate',
  'Schema Sync & Secrets',
  'Core Services',
  'Startup Playbooks',
  'Codec Validation',
  'Autonomy Load',
  'Smoke Tests',
  'Continuous Monitor',
];

/** Eight stages of 100 ms; the one named fails, and what follows is skipped. */
export function stagesOf(failedNumber = 0, failure = 'it did not work'): readonly StageReport[] {
  return STAGES.map((name, index) => {
    const number = index + 1;
    const result = failedNumber === 0 || number < failedNumber ? 'success' : number === failedNumber ? 'failed' : 'skipped';
    return {
      number,
      stage: `${number}. ${name}`,
      result,
      success: result === 'success',
      startedAfterMs: index * 100,
      durationMs: result === 'skipped' ? 0 : 100,
      metrics: {},
      findings: [],
      fixes: [],
      detail: '',
      failure: result === 'failed' ? failure : null,
    };
  });
}

export function aComponent(name: string, parts: Partial<ComponentReport> = {}): ComponentReport {
  return { name, state: 'ready', startedAfterMs: 500, readyAfterMs: 550, waitedFor: null, starts: 1, pid: 4711, port: 8080, ...parts };
}

/** A boot that succeeded, and one that failed when a stage is named. */
export function aBoot(
  id: string,
  parts: Partial<BootRecord> & { readonly failedStage?: number; readonly stages?: readonly StageReport[] } = {},
  components: readonly ComponentReport[] = [aComponent('api')],
): BootRecord {
  const { failedStage = 0, stages = stagesOf(failedStage), ...record } = parts;
  const outcome = record.outcome ?? (failedStage === 0 ? 'success' : 'failed');
  const startedAtMs = record.startedAtMs ?? NOW_MS - 60 * MINUTE_MS;
  const failed = stages.filter((s) => s.result === 'failed').length;
  return {
    id: bootId(id),
    startedAtMs,
    endedAtMs: startedAtMs + 800,
    mode: 'resilient',
    isVerified: outcome === 'success',
    fingerprint: {},
    report: {
      boot_id: bootId(id),
      boot_timestamp: new Date(startedAtMs).toISOString(),
      service: 'shop',
      mode: 'resilient',
      outcome,
      stages,
      components,
      incidents: [],
      playbooks: [],
      summary: {
        success: outcome === 'success',
        stages_passed: stages.length - failed,
        stages_failed: failed,
        fixes: 0,
        duration_ms: 9000,
      },
    },
    ...record,
    outcome,
  };
}

const SIGNATURE = '0123456789abcdef';

export function aFailure(id: string, boot: string, parts: Partial<Failure> = {}): Failure {
  return {
    id,
    bootId: bootId(boot),
    atMs: NOW_MS - 59 * MINUTE_MS,
    stage: '6. Autonomy Load',
    component: 'api',
    symptom: 'exit',
    message: 'it ended with exit code 1 before it was ready',
    exitCode: 1,
    signal: null,
    output: ['starting', 'Error: listen EADDRINUSE: address already in use :::8080'],
    headline: 'Error: listen EADDRINUSE',
    subject: 'port',
    facts: [],
    frames: [],
    family: 'address_in_use',
    signature: signatureOf(SIGNATURE),
    signatureParts: [],
    afterMs: 40,
    context: {},
    ...parts,
  };
}

export function aPattern(parts: Partial<Pattern> = {}): Pattern {
  return {
    signature: signatureOf(SIGNATURE),
    incidentId: incidentId(`autonomy_load_${(parts.signature ?? SIGNATURE).slice(0, 8)}`),
    family: 'address_in_use',
    component: 'api',
    stage: '6. Autonomy Load',
    familyName: 'port_in_use',
    template: 'listen <port>',
    rootCause: 'port 8080 is held by an orphan of api',
    occurrences: 3,
    firstSeenMs: NOW_MS - 600 * MINUTE_MS,
    lastSeenMs: NOW_MS - 59 * MINUTE_MS,
    state: 'verified',
    playbook: 'free_port_8080',
    cleanBoots: 1,
    ...parts,
  };
}

export function anExplanation(failureId: string, boot: string, parts: Partial<Explanation> = {}): Explanation {
  return {
    failureId,
    signature: signatureOf(SIGNATURE),
    bootId: bootId(boot),
    atMs: NOW_MS - 59 * MINUTE_MS,
    component: 'api',
    what: 'it ended with exit code 1 before it was ready',
    cause: 'port 8080 is held by an orphan of api',
    familyName: 'port_in_use',
    confidence: 0.95,
    evidence: ['port 8080: pid 99 node server.js'],
    changes: [],
    action: 'ended pid 99',
    playbook: 'free_port_8080',
    risk: 'medium',
    outcome: 'healed',
    advice: ['stop pid 99'],
    alternatives: ['unexplained (0.05): it said nothing'],
    ...parts,
  };
}

export function aPlaybook(name: string, parts: Partial<RegisteredPlaybook> = {}): RegisteredPlaybook {
  return {
    name,
    description: 'end the orphan that holds the port',
    risk: 'medium',
    tier: 'tier_2',
    service: 'boot_pipeline',
    severity: 'warning',
    version: 1,
    hash: 'f00d',
    file: `/nowhere/playbooks/${name}.ts`,
    origin: 'generated',
    family: 'port_in_use',
    signature: SIGNATURE,
    component: 'api',
    params: {},
    steps: [{ name: 'end the orphan', primitive: 'free_port', params: { port: 8080 } }],
    isEnabled: true,
    createdAtMs: NOW_MS - 600 * MINUTE_MS,
    verifiedCount: 2,
    failedCount: 0,
    ...parts,
  };
}

export function anApproval(id: string, parts: Partial<Approval> = {}): Approval {
  return {
    id,
    action: 'run_playbook',
    playbook: 'free_port_8080',
    component: 'api',
    incidentId: `autonomy_load_${SIGNATURE.slice(0, 8)}`,
    requestedBy: null,
    summary: ['end the orphan (free_port)'],
    foreseen: null,
    claimedNames: {},
    bindingHash: 'beef',
    requiredApprovals: 1,
    approvedBy: [],
    rejectedBy: null,
    createdAtMs: NOW_MS - MINUTE_MS,
    expiresAtMs: NOW_MS + 60 * MINUTE_MS,
    usedAtMs: null,
    ...parts,
  };
}

/** What decides over changes by hand, with the shipped policies and these. */
export function asking(memory: Memory, by: string, ...own: readonly string[]): AskPolicies {
  const files = own.map((text, i) => ({ name: `own-${i}.cedar`, text }));
  return askPolicies(memory, { environment: '', own: async () => files }, by);
}
