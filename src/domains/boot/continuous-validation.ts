import { messageOf, type Ids } from '../../kernel/index.ts';
import type { CheckFailure } from '../healing/index.ts';
import { missionKey, reconcileMissions, type MissionStore, type Unseen } from '../missions/index.ts';
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
  readonly ids: Ids;
}

/**
 * The whole pre-flight while the service runs [PF-6]: what the stages look at before a start, the guards of everything learned, and all
 * checks. What policy allows at run time is mended; the rest is kept as a mission, and told once. Nothing is started or stopped for it.
 */
export async function validateAgain(context: BootContext, { missions, ids }: ValidationPorts): Promise<void> {
  const { clock, emit } = context;
  const startMs = clock.monotonicMs();
  const standing = new Set((await missions.standing()).map(({ key }) => key));
  const fixed: string[] = [];
  const findings: Finding[] = [];
  const unseen: Unseen[] = [];
  const part = async (component: string, origin: string | null, look: () => Promise<readonly Finding[]>): Promise<void> => {
    try {
      findings.push(...(await look()).map((found) => (origin === null ? found : { ...found, origin })));
    } catch (error) {
      if (context.signal.aborted) throw error;
      unseen.push({ origin, component: origin === null ? null : component });
      emit({ type: 'notice', level: 'warn', text: `${STAGE}: ${component} could not be looked at: ${messageOf(error)}` });
    }
  };
  // One after the other: components may share what is wrong, and the second finds it mended.
  for (const spec of context.components.filter(({ kind }) => kind === 'process')) {
    const ofComponent = async (origin: string, look: () => Promise<readonly Finding[]>): Promise<void> => {
      const failedBefore = context.core.failedLooks(spec);
      await part(spec.name, origin, look);
      // Nothing was found because nobody could see: the database was away.
      if (context.core.failedLooks(spec) > failedBefore) unseen.push({ origin, component: spec.name });
    };
    for (const { code, look } of looksOf(spec, context))
      await ofComponent(code, () => passed(spec, code, look, { context, standing, fixed }));
    await ofComponent('guard', () => guarded(spec, { context, standing, fixed }));
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
  const changes = await reconcileMissions(findings, unseen, { missions, clock, ids });
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
  emit({ type: 'validation_ended', durationMs, checks, findings: wrong, fixed, missions: changes.open });
}

interface Around {
  readonly context: BootContext;
  /** Keys of what is known to be wrong: it is looked at, and not captured and tried anew every hour. */
  readonly standing: ReadonlySet<string>;
  readonly fixed: string[];
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

async function passed(
  spec: ComponentSpec,
  code: string,
  look: () => Promise<CheckFailure | null>,
  { context, standing, fixed }: Around,
): Promise<readonly Finding[]> {
  const wrong = await look();
  if (wrong === null) return [];
  const found = finding('error', code, spec.name, wrong.message, SEE);
  if (standing.has(missionKey(found))) return [found];
  const result = await context.supervision.passCheck(spec, STAGE, look, 'runtime');
  fixed.push(...result.fixes.map((playbook) => `${spec.name}: ${playbook}`));
  return result.state === 'passed' ? [] : [found];
}

async function guarded(spec: ComponentSpec, { context, standing, fixed }: Around): Promise<readonly Finding[]> {
  const open: Finding[] = [];
  for (const guard of await context.core.guards(spec)) {
    const found: Finding = { ...guard, severity: 'warn' };
    if (guard.fix === null || standing.has(missionKey(found))) {
      open.push(found);
      continue;
    }
    const { state } = await context.core.runGuardFix(spec, guard, 'runtime', context.signal);
    if (state === 'applied') fixed.push(`${spec.name}: ${guard.fix.playbook}`);
    else if (state !== 'nothing_to_do') open.push(found);
  }
  return open;
}
