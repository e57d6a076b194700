import { messageOf, type Ids } from '../../kernel/index.ts';
import { approvalState, type ApprovalStore } from '../governance/index.ts';
import type { CheckFailure } from '../healing/index.ts';
import { missionKey, reconcileMissions, type Mission, type MissionStore } from '../missions/index.ts';
import type { Finding } from '../preflight/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import { finding, type BootContext } from './boot-context.ts';
import { namedCheck } from './stages/preflight-gate.ts';
import { envCheck, lackingCheck, pendingFailure } from './stages/schema-and-secrets.ts';

const STAGE = 'continuous validation';
/** A cause in the words of the check, and nothing of what it quotes. */
const SEE = 'see: grace explain';

export interface ValidationPorts {
  readonly missions: MissionStore;
  readonly approvals: Pick<ApprovalStore, 'get'>;
  readonly ids: Ids;
  /** A finding is known again by its words: they are compared as they are stored, without secrets. */
  redact(finding: Finding): Finding;
}

/**
 * The whole pre-flight while the service runs [PF-6]: what the stages look at before a start, the guards of everything learned, and all
 * checks. What policy allows at run time is mended; the rest is kept as a mission, and told once. Nothing is started or stopped for it.
 */
export async function validateAgain(context: BootContext, ports: ValidationPorts): Promise<void> {
  const { missions, ids, redact } = ports;
  const { clock, emit } = context;
  const startMs = clock.monotonicMs();
  const round = new Round(context, ports, await missions.standing());
  const findings: Finding[] = [];
  const part = async (component: string, look: () => Promise<readonly Finding[]>): Promise<void> => {
    try {
      findings.push(...(await look()).map(redact));
    } catch (error) {
      if (context.signal.aborted) throw error;
      round.isWhole = false;
      emit({ type: 'notice', level: 'warn', text: `${STAGE}: ${component} could not be looked at: ${messageOf(error)}` });
    }
  };
  // One after the other: components may share what is wrong, and the second finds it mended.
  for (const spec of context.components.filter(({ kind }) => kind === 'process')) {
    for (const { code, look } of looksOf(spec, context)) await part(spec.name, () => round.passed(spec, code, look));
    await part(spec.name, () => round.guarded(spec));
  }
  let checks = 0;
  for (const when of ['before_start', 'beside_start', 'when_ready'] as const)
    await part('grace', async () => {
      const reports = await context.core.preflight(when);
      checks += reports.length;
      return reports.flatMap((report) => report.findings);
    });
  const changes = await reconcileMissions(findings, round.isWhole, { missions, clock, ids }, round.approvals);
  for (const mission of changes.opened) {
    const found = findings.find((f) => missionKey(f) === mission.key);
    if (found !== undefined) emit({ type: 'finding', stage: STAGE, finding: found });
    const { id, component, code, message } = mission;
    emit({ type: 'mission_opened', mission: id, component, code, message });
  }
  for (const { id, component, code, message } of changes.closed) emit({ type: 'mission_closed', mission: id, component, code, message });
  const durationMs = Math.round(clock.monotonicMs() - startMs);
  // A remark is nothing that anybody has to mend.
  const wrong = findings.filter(({ severity }) => severity !== 'info').length;
  emit({ type: 'validation_ended', durationMs, checks, findings: wrong, fixed: round.fixed, missions: changes.open });
}

/** What the stages before a start look at, but for the port: now the service itself holds it. */
function looksOf(
  spec: ComponentSpec,
  context: BootContext,
): readonly { readonly code: string; readonly look: () => Promise<CheckFailure | null> }[] {
  return [
    { code: 'named_missing', look: () => namedCheck(spec, context) },
    { code: 'env_missing', look: () => envCheck(spec, context) },
    { code: 'schema_behind', look: async () => pendingFailure(await context.core.pendingMigrations(spec), spec) },
    { code: 'schema_lacks', look: () => lackingCheck(spec, context) },
  ];
}

/** One look at all components. */
class Round {
  readonly fixed: string[] = [];
  /** Approvals that findings wait for, by the keys of their missions. */
  readonly approvals = new Map<string, string>();
  /** False when something could not be looked at: then what was not found may still be there. */
  isWhole = true;
  private readonly context: BootContext;
  private readonly ports: ValidationPorts;
  /** What is known to be wrong is looked at, and not captured and tried anew every hour. */
  private readonly standing: ReadonlyMap<string, Mission>;

  constructor(context: BootContext, ports: ValidationPorts, standing: readonly Mission[]) {
    this.context = context;
    this.ports = ports;
    this.standing = new Map(standing.map((mission) => [mission.key, mission]));
  }

  async passed(spec: ComponentSpec, code: string, look: () => Promise<CheckFailure | null>): Promise<readonly Finding[]> {
    const { supervision } = this.context;
    // Half of what a recovery does may look wrong.
    if (supervision.isRecovering(spec.name)) return this.later();
    const wrong = await look();
    if (wrong === null) return [];
    const found = finding('error', code, spec.name, wrong.message, SEE);
    const key = missionKey(this.ports.redact(found));
    const before = this.standing.get(key);
    if (before !== undefined && !(await this.isAnswered(before))) return [found];
    const result = await supervision.passCheck(spec, STAGE, look, 'runtime');
    this.fixed.push(...result.fixes.map((playbook) => `${spec.name}: ${playbook}`));
    if (result.state === 'passed') return [];
    if (result.isBusy === true) return this.later();
    // Agreed to, and kept from running by a limit: the next look tries it again.
    const approval = result.approval ?? (result.wasTried === true ? null : (before?.approval ?? null));
    if (approval !== null) this.approvals.set(key, approval);
    else this.approvals.delete(key);
    return [found];
  }

  async guarded(spec: ComponentSpec): Promise<readonly Finding[]> {
    const { core, supervision, signal } = this.context;
    if (supervision.isRecovering(spec.name)) return this.later();
    const open: Finding[] = [];
    for (const guard of await core.guards(spec)) {
      const found: Finding = { ...guard, severity: 'warn' };
      const before = this.standing.get(missionKey(this.ports.redact(found)));
      if (guard.fix === null || before !== undefined) {
        open.push(before === undefined ? found : { ...found, evidence: before.evidence });
        continue;
      }
      const { state, detail } = await core.runGuardFix(spec, guard, 'runtime', signal);
      if (state === 'applied') this.fixed.push(`${spec.name}: ${guard.fix.playbook}`);
      // Nobody is asked for what has not failed yet: whoever reads it runs it, or waits for the failure.
      else if (state !== 'nothing_to_do')
        open.push({ ...found, evidence: [...found.evidence, `${guard.fix.playbook} did not run: ${detail}`] });
    }
    return open;
  }

  private later(): readonly Finding[] {
    this.isWhole = false;
    return [];
  }

  /** Whether what was asked for has been agreed to since, or can be no more; where not, it keeps waiting for the same answer. */
  private async isAnswered({ key, approval }: Mission): Promise<boolean> {
    if (approval === undefined || approval === null) return false;
    const asked = await this.ports.approvals.get(approval);
    const state = asked === null ? 'expired' : approvalState(asked, this.context.clock.nowMs());
    if (state === 'approved' || state === 'expired') return true;
    this.approvals.set(key, approval);
    return false;
  }
}
