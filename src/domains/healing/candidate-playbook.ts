import { basename } from 'node:path';
import type { Clock, Files, Ids, Signature } from '../../kernel/index.ts';
import { approvalState, type ApprovalStore } from '../governance/index.ts';
import { nextPatternState, type Failure, type IncidentStore, type Pattern } from '../incidents/index.ts';
import { generatePlaybookSource, portableSteps, type Diagnosis, type Lesson } from '../learning/index.ts';
import { SEVERITY, type PlaybookStore, type RegisteredPlaybook, type RemedyStep } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import { askForApproval } from './ask-approval.ts';
import { approvalsWanted, type PolicyPorts } from './authorize.ts';
import type { PlaybookLibrary } from './healer-ports.ts';
import type { Knowledge } from './knowledge.ts';
import { offerOf } from './offer.ts';

export interface CandidatePorts extends PolicyPorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly incidents: IncidentStore;
  readonly playbooks: PlaybookStore;
  readonly approvals: ApprovalStore;
  readonly library: PlaybookLibrary;
  /** To find out where the places that its steps name lead. */
  readonly files: Pick<Files, 'realpath'>;
  knowledge(): Promise<Knowledge>;
}

/** What a person did about a failure. */
export interface Learned {
  readonly component: ComponentSpec;
  readonly pattern: Pattern;
  readonly failure: Failure;
  readonly lesson: Lesson;
  /** The boots between which it was done. */
  readonly from: string;
  readonly to: string;
}

const DESCRIPTION_CHARS = 160;
const NAME_CHARS = 60;
/** One person has to have read what Grace made of a person's work; the file may say more afterwards. */
const LEARNED_TIER = 'tier_3';

/** Writes, registers and offers it. Null when somebody has written a playbook for this failure, which is better. */
export async function offerCandidate(
  ports: CandidatePorts,
  { component, pattern, failure, lesson, from, to }: Learned,
): Promise<{ readonly playbook: RegisteredPlaybook; readonly approval: string | null } | null> {
  const { playbooks, library, clock, incidents } = ports;
  const known = await playbooks.list();
  const isTheirs = (p: RegisteredPlaybook): boolean => p.origin === 'written' || p.origin === 'edited';
  if (known.some((p) => isTheirs(p) && p.isEnabled && p.signature === pattern.signature)) return null;
  const steps = portableSteps(lesson.steps, component);
  const files = new Set((await library.files()).map((file) => basename(file, '.ts')));
  const wanted = nameOf(lesson.steps, component, pattern.signature);
  let name = wanted;
  // A file of this name that is not from here is somebody's work.
  for (let n = 2; files.has(name) && known.find((p) => p.name === name)?.origin !== 'learned'; n++) name = `${wanted}_${n}`;
  const before = known.find((p) => p.name === name) ?? null;
  const description = `do what a person did: ${lesson.did.join('; ')}`.slice(0, DESCRIPTION_CHARS);
  const diagnosis: Diagnosis = {
    family: pattern.familyName ?? 'unexplained',
    cause: pattern.rootCause === '' ? pattern.template : pattern.rootCause,
    evidence: [...lesson.did, ...lesson.byHand.map((text) => `only a person can do this: ${text}`)],
    confidence: lesson.confidence,
    remedy: { playbook: name, description, risk: lesson.risk, tier: LEARNED_TIER, steps, restart: true },
    advice: [],
    waitFor: null,
  };
  const derived = `what a person did between ${from} and ${to}`;
  const source = generatePlaybookSource(name, diagnosis, failure, pattern, steps, derived);
  const { file, hash } = await library.write(name, source);
  const isSame = before?.hash === hash;
  const playbook: RegisteredPlaybook = {
    name,
    description,
    risk: lesson.risk,
    tier: LEARNED_TIER,
    service: 'boot_pipeline',
    severity: SEVERITY[lesson.risk],
    version: isSame ? before.version : (before?.version ?? 0) + 1,
    hash,
    file,
    origin: 'learned',
    family: diagnosis.family,
    signature: pattern.signature,
    component: component.name,
    params: {},
    steps,
    isEnabled: before?.isEnabled ?? true,
    createdAtMs: clock.nowMs(),
    verifiedCount: isSame ? before.verifiedCount : 0,
    failedCount: isSame ? before.failedCount : 0,
  };
  await playbooks.save(playbook);
  const present = (await incidents.pattern(pattern.signature)) ?? pattern;
  const current = present.playbook === null ? undefined : known.find((p) => p.name === present.playbook);
  // What Grace tried there and never proved steps back.
  if (current === undefined || current.verifiedCount === 0 || current.name === name)
    await incidents.savePattern({ ...present, ...nextPatternState(present, 'fix_applied'), playbook: name });
  return { playbook, approval: playbook.isEnabled ? await offer(ports, component, pattern, playbook) : null };
}

/** @returns the open request; null when it was approved already, somebody said no to it, or no approval would let it run */
async function offer(
  ports: CandidatePorts,
  component: ComponentSpec,
  pattern: Pattern,
  playbook: RegisteredPlaybook,
): Promise<string | null> {
  const { approvals, library, clock, files } = ports;
  const loaded = await library.load(playbook.file);
  const { binding, steps } = await offerOf(playbook, loaded.hash, loaded.playbook.params, component, files);
  const existing = await approvals.byBinding(binding);
  const state = existing === null ? 'expired' : approvalState(existing, clock.nowMs());
  if (state === 'approved' || state === 'rejected') return null;
  const { incidentId } = pattern;
  const { primitives } = await ports.knowledge();
  const subject = { registered: playbook, playbook: loaded.playbook, hash: loaded.hash, component: component.name, primitives };
  const required = await approvalsWanted(ports, subject);
  if (required === null) return null;
  // All is well now: what its steps would do shows only when the failure is back. Where they may do it is known.
  const asked = { playbook, component: component.name, incidentId, binding, foreseen: steps, required };
  return askForApproval(ports, asked);
}

/** `learned_restore_file_settings_json_3fa2b1`. */
function nameOf(steps: readonly RemedyStep[], component: ComponentSpec, signature: Signature): string {
  const [first] = steps;
  const { path, file, keys, name } = first?.params ?? {};
  const [about] = [path, Array.isArray(keys) ? keys.join('_') : keys, name, file, component.name].filter((v) => typeof v === 'string');
  const words = `learned ${first?.primitive ?? ''} ${basename(about ?? '')}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_');
  return `${words.slice(0, NAME_CHARS).replace(/_$/, '')}_${signature.slice(0, 6)}`;
}
