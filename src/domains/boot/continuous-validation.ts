import { messageOf, type Ids } from '../../kernel/index.ts';
import { approvalState, type ApprovalStore } from '../governance/index.ts';
import type { CheckFailure, Emit } from '../healing/index.ts';
import { missionKey, reconcileMissions, type Mission, type MissionChanges, type MissionStore, type Unseen } from '../missions/index.ts';
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
  const unseen: Unseen[] = [];
  /** @param origin  which look it is; null for those that say it themselves */
  const part = async (component: string, origin: string | null, look: () => Promise<readonly Finding[] | null>): Promise<void> => {
    const couldNot = (): void => void unseen.push({ origin, component: origin === null ? null : component });
    try {
      const found = await look();
      if (found === null) couldNot();
      else findings.push(...found.map((one) => redact(origin === null ? one : { ...one, origin })));
    } catch (error) {
      if (context.signal.aborted) throw error;
      couldNot();
      emit({ type: 'notice', level: 'warn', text: `${STAGE}: ${component} could not be looked at: ${messageOf(error)}` });
    }
  };
  // One after the other: components may share what is wrong, and the second finds it mended.
  for (const spec of context.components.filter(({ kind }) => kind === 'process')) {
    const ofComponent = async (origin: string, look: () => Promise<readonly Finding[] | null>): Promise<void> => {
      const failedBefore = context.core.failedLooks(spec);
      await part(spec.name, origin, look);
      // Nothing was found because nobody could see: the database was away.
      if (context.core.failedLooks(spec) > failedBefore) unseen.push({ origin, component: spec.name });
    };
    for (const { code, look } of looksOf(spec, context)) await ofComponent(code, () => round.passed(spec, code, look));
    await ofComponent('guard', () => round.guarded(spec));
  }
  let checks = 0;
  for (const when of ['before_start', 'beside_start', 'when_ready'] as const)
    await part('grace', null, async () => {
      const reports = await context.core.preflight(when);
      checks += reports.length;
      for (const { name, couldLook, unseen: components = [] } of reports) {
        if (!couldLook) unseen.push({ origin: name, component: null });
        unseen.push(...components.map((component) => ({ origin: name, component })));
      }
      return reports.flatMap((report) => report.findings.map((found) => ({ ...found, origin: report.name })));
    });
  const changes = await reconcileMissions(findings, unseen, { missions, clock, ids }, round.approvals);
  tellMissions(changes, findings, emit);
  const durationMs = Math.round(clock.monotonicMs() - startMs);
  // A remark is nothing that anybody has to mend.
  const wrong = findings.filter(({ severity }) => severity !== 'info').length;
  emit({ type: 'validation_ended', durationMs, checks, findings: wrong, fixed: round.fixed, missions: changes.open });
}

/**
 * Looks once more at what waits for this approval, since people have answered or can no more: what they agreed to is planned anew and
 * mended now, and not at the next whole look. Nothing else is looked at.
 * @returns false when this was no moment to look
 */
export async function validateAnswered(context: BootContext, ports: ValidationPorts, approval: string): Promise<boolean> {
  const { missions, ids, redact } = ports;
  const { clock, emit } = context;
  const standing = await missions.standing();
  const waiting = standing.filter((mission) => mission.approval === approval);
  const round = new Round(context, ports, standing, approval);
  const findings: Finding[] = [];
  const looked = new Set<string>();
  for (const { component, code } of waiting) {
    const spec = context.components.find(({ name }) => name === component);
    const known = spec === undefined ? undefined : looksOf(spec, context).find((one) => one.code === code);
    if (spec === undefined || known === undefined || looked.has(partOf(component, code))) continue;
    const found = await round.passed(spec, code, known.look);
    if (found === null) return false;
    findings.push(...found.map((one) => redact({ ...one, origin: code })));
    looked.add(partOf(component, code));
  }
  // A look finds one thing at most, so what else it has found is gone; what others have found nobody has looked at.
  const seen: MissionStore = {
    ...missions,
    standing: async () => (await missions.standing()).filter(({ component, origin }) => looked.has(partOf(component, origin ?? ''))),
  };
  tellMissions(await reconcileMissions(findings, [], { missions: seen, clock, ids }, round.approvals), findings, emit);
  return true;
}

function partOf(component: string, code: string): string {
  return `${component} ${code}`;
}

function tellMissions({ opened, closed }: MissionChanges, findings: readonly Finding[], emit: Emit): void {
  for (const { key, id, component, code, message } of opened) {
    const found = findings.find((f) => missionKey(f) === key);
    if (found !== undefined) emit({ type: 'finding', stage: STAGE, finding: found });
    emit({ type: 'mission_opened', mission: id, component, code, message });
  }
  for (const { id, component, code, message } of closed) emit({ type: 'mission_closed', mission: id, component, code, message });
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
  private readonly context: BootContext;
  private readonly ports: ValidationPorts;
  /** What is known to be wrong is looked at, and not captured and tried anew every hour. */
  private readonly standing: ReadonlyMap<string, Mission>;
  private readonly answered: string | null;

  /** @param answered  the approval whose answer is the reason for this look, whatever it is */
  constructor(context: BootContext, ports: ValidationPorts, standing: readonly Mission[], answered: string | null = null) {
    this.answered = answered;
    this.context = context;
    this.ports = ports;
    this.standing = new Map(standing.map((mission) => [mission.key, mission]));
  }

  /** @returns null when this is no moment to look */
  async passed(spec: ComponentSpec, code: string, look: () => Promise<CheckFailure | null>): Promise<readonly Finding[] | null> {
    const { supervision } = this.context;
    // Half of what a recovery does may look wrong.
    if (supervision.isRecovering(spec.name)) return null;
    const wrong = await look();
    if (wrong === null) return [];
    const found = finding('error', code, spec.name, wrong.message, SEE);
    const key = missionKey(this.ports.redact(found));
    const before = this.standing.get(key);
    if (before !== undefined && !(await this.isAnswered(before))) return [found];
    const result = await supervision.passCheck(spec, STAGE, look, 'runtime');
    this.fixed.push(...result.fixes.map((playbook) => `${spec.name}: ${playbook}`));
    if (result.state === 'passed') return [];
    if (result.isBusy === true) return null;
    // Agreed to, and kept from running by a limit: the next look tries it again.
    const approval = result.approval ?? (result.wasTried === true ? null : (before?.approval ?? null));
    if (approval !== null) this.approvals.set(key, approval);
    else this.approvals.delete(key);
    return [found];
  }

  /** @returns null when this is no moment to look */
  async guarded(spec: ComponentSpec): Promise<readonly Finding[] | null> {
    const { core, supervision, signal } = this.context;
    if (supervision.isRecovering(spec.name)) return null;
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

  /** Whether what was asked for has been agreed to since, or can be no more; where not, it keeps waiting for the same answer. */
  private async isAnswered({ key, approval }: Mission): Promise<boolean> {
    if (approval === undefined || approval === null) return false;
    if (approval === this.answered) return true;
    const asked = await this.ports.approvals.get(approval);
    const state = asked === null ? 'expired' : approvalState(asked, this.context.clock.nowMs());
    if (state === 'approved' || state === 'expired') return true;
    this.approvals.set(key, approval);
    return false;
  }
}
