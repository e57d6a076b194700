import { basename } from 'node:path';
import { sha256Hex } from '../../kernel/index.ts';
import type { AutonomyTier } from '../governance/index.ts';
import { generatePlaybookSource, portableSteps, type Captured, type Diagnosis, type Remedy } from '../learning/index.ts';
import { SEVERITY, type RegisteredPlaybook, type RemedyStep } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { HealerPorts } from './healer-ports.ts';

interface FoundPlaybook {
  readonly registered: RegisteredPlaybook;
  readonly wasGenerated: boolean;
}

/** The playbooks that remedies are written down as: found again, or written. What a person wrote or edited keeps its name and its file. */
export class RemedyPlaybooks {
  private readonly ports: Pick<HealerPorts, 'playbooks' | 'library' | 'clock' | 'recordFailure' | 'effectiveTier'>;

  constructor(ports: RemedyPlaybooks['ports']) {
    this.ports = ports;
  }

  /**
   * The registered playbook for this remedy, or one that is written now.
   * @param captured  the failure it is for; null where a person asked for it
   */
  async find(captured: Captured | null, component: ComponentSpec, diagnosis: Diagnosis, remedy: Remedy): Promise<FoundPlaybook> {
    const { playbooks, library, clock } = this.ports;
    const { name, steps, existing } = await this.placeFor(component, remedy);
    if (existing !== null) return { registered: existing, wasGenerated: false };
    const source =
      captured === null
        ? generatePlaybookSource(name, diagnosis, { signature: null, component: component.name }, null, steps, ASKED_FOR)
        : generatePlaybookSource(name, diagnosis, captured.failure, captured.pattern, steps);
    const { file, hash } = await library.write(name, source);
    if (captured !== null) await this.ports.recordFailure?.(name, captured, component, steps, diagnosis);
    const before = await playbooks.get(name);
    const registered: RegisteredPlaybook = {
      name,
      description: remedy.description,
      risk: remedy.risk,
      tier: remedy.tier,
      service: 'boot_pipeline',
      severity: SEVERITY[remedy.risk],
      version: (before?.version ?? 0) + 1,
      hash,
      file,
      origin: 'generated',
      family: diagnosis.family,
      signature: captured?.failure.signature ?? null,
      component: component.name,
      params: {},
      steps,
      isEnabled: true,
      createdAtMs: clock.nowMs(),
      verifiedCount: before?.hash === hash ? before.verifiedCount : 0,
      failedCount: before?.hash === hash ? before.failedCount : 0,
    };
    await playbooks.save(registered);
    return { registered, wasGenerated: true };
  }

  /** What was written before for this remedy may have lost or earned autonomy since. */
  async tierInForce(component: ComponentSpec, remedy: Remedy): Promise<AutonomyTier> {
    const { existing } = await this.placeFor(component, remedy);
    return existing === null ? remedy.tier : this.ports.effectiveTier(existing.name, existing.hash, existing.tier);
  }

  /** The name that a remedy has or gets; `existing` is what would be run for it now, null when it would be written anew. */
  private async placeFor(
    component: ComponentSpec,
    remedy: Remedy,
  ): Promise<{ readonly name: string; readonly steps: readonly RemedyStep[]; readonly existing: RegisteredPlaybook | null }> {
    const { playbooks, library } = this.ports;
    const steps = portableSteps(remedy.steps, component);
    const same = (p: RegisteredPlaybook): boolean => p.component === component.name && JSON.stringify(p.steps) === JSON.stringify(steps);
    let name = remedy.playbook;
    const files = new Set((await library.files()).map((file) => basename(file)));
    for (const candidate of [
      remedy.playbook,
      `${remedy.playbook}_${slug(component.name)}`,
      `${remedy.playbook}_${sha256Hex(JSON.stringify(steps)).slice(0, 6)}`,
    ]) {
      name = candidate;
      const existing = await playbooks.get(candidate);
      // A file nobody could register (it does not load) is still somebody's work.
      if (existing === null && (files.has(`${candidate}.ts`) || files.has(`${candidate}.mjs`))) continue;
      if (existing !== null && (existing.origin === 'written' || existing.origin === 'edited')) continue; // somebody's work
      // A shipped one gives its name to the file with the parameters of this case.
      if (existing === null || existing.origin === 'shipped') break;
      if (same(existing) && (await library.hash(existing.file)) !== null) return { name, steps, existing };
      if (same(existing)) break; // its file is gone: written again
    }
    return { name, steps, existing: null };
  }
}

const ASKED_FOR = 'what a person asked for';

function slug(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_')
      .replace(/^_|_$/g, '') || 'component'
  );
}
