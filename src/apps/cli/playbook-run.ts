import type { GraceEvent } from '../../domains/healing/index.ts';
import type { Decision } from '../../domains/governance/index.ts';
import type { PlannedStep } from '../../domains/playbooks/index.ts';
import { foreseeRun, type ForeseenRun } from '../../runtime/authoring/foresee-run.ts';
import { runPlaybook, type RunNow } from '../../runtime/authoring/run-playbook.ts';
import type { Answer } from './answer.ts';
import { byHand, ownLog, SILENT } from './by-hand.ts';
import { anotherPerson } from './four-eyes.ts';
import type { LookOptions } from './memory.ts';
import { columns, paint, table, wrap } from './terminal.ts';

export interface RunCommand extends LookOptions {
  readonly component?: string;
  readonly dryRun?: boolean;
}

/** `grace playbooks run`: does it, or says what it would do. */
export async function runNamed(name: string, options: RunCommand): Promise<Answer> {
  const asked = { ...(await byHand(options)), name, component: options.component ?? null };
  if (options.dryRun === true) return foreseenAnswer(await foreseeRun({ ...asked, logger: SILENT }));
  const events: GraceEvent[] = [];
  return ranAnswer(await runPlaybook({ ...asked, logger: ownLog(asked.config), emit: (event) => events.push(event) }), events);
}

/** Exit code 1 when it would not be let run, would be refused, or would find nothing to do. */
export function foreseenAnswer(run: ForeseenRun): Answer {
  const { decision, steps } = run;
  const wouldAct = steps.some((s) => s.state === 'ready');
  const isAllowed = decision.verdict === 'allow' || decision.verdict === 'allow_with_notice';
  const isFine = run.isEnabled && isAllowed && wouldAct && run.endsWith === null;
  const lines = [
    `${paint('bold', run.playbook)}  ${run.description}`,
    '',
    table([
      ['  component', run.component],
      ['  file', run.file],
      ['  risk', `${run.risk}, ${run.tier}, ${run.origin}`],
      ['  governance', `${paint(isAllowed ? 'green' : 'yellow', decision.verdict)}: ${decision.reason}`],
      ...(decision.policies.length === 0 ? [] : [['  decided by', decision.policies.join(', ')]]),
      ...approvalRows(decision, run),
      ...(run.isEnabled ? [] : [['  disabled', `let it run again with: grace playbooks enable ${run.playbook}`]]),
    ]),
    '',
    ...(steps.length === 0 ? ['  it asks for no step'] : steps.flatMap(stepLines)),
    ...(run.endsWith === null ? [] : [`  ${paint('red', 'it would end here')}: ${run.endsWith}`]),
    '',
    wouldAct || steps.length === 0
      ? 'nothing was changed: this is what would happen now'
      : 'nothing to do now: no step would change anything',
  ];
  return { exitCode: isFine ? 0 : 1, data: foreseenJson(run, isFine), lines };
}

function approvalRows(decision: Decision, { approval }: ForeseenRun): readonly (readonly string[])[] {
  if (approval !== null) return [['  approval', `${approval.id} (${approval.state}): ${approval.has} of ${approval.needs}`]];
  if (decision.verdict !== 'needs_approval') return [];
  const needs = decision.approvals === 1 ? 'one approval' : `${decision.approvals} approvals by distinct people`;
  return [['  approval', `needs ${needs}, for exactly these steps; without --dry-run it is asked for`]];
}

const MARK = { ready: '→', nothing_to_do: '·', refused: '✖' } as const;

function stepLines(step: PlannedStep, index: number): readonly string[] {
  const width = columns() - 8;
  const mark = paint(step.state === 'ready' ? 'cyan' : step.state === 'refused' ? 'red' : 'dim', MARK[step.state]);
  const notes = [
    step.primitive,
    ...(step.risk === null ? [] : [step.risk]),
    ...(step.state === 'ready' && !step.hasUndo ? ['cannot be undone'] : []),
    ...(step.isUncertain ? ['planned as if the steps before it had not run'] : []),
  ];
  return [
    `  ${index + 1}. ${step.step} ${paint('dim', `(${notes.join(', ')})`)}`,
    `     ${mark} ${wrap(`${step.state.replaceAll('_', ' ')}: ${step.summary}`, width, '       ')}`,
    ...step.targets.map((target) => `       ${paint('dim', `target ${target}`)}`),
  ];
}

function foreseenJson(run: ForeseenRun, isFine: boolean): Readonly<Record<string, unknown>> {
  const { decision, approval } = run;
  return {
    dry_run: true,
    would_run: isFine,
    playbook: run.playbook,
    description: run.description,
    component: run.component,
    file: run.file,
    risk_level: run.risk,
    autonomy_tier: run.tier,
    origin: run.origin,
    enabled: run.isEnabled,
    governance: {
      verdict: decision.verdict,
      reason: decision.reason,
      policies: decision.policies,
      approvals_needed: decision.verdict === 'needs_approval' ? decision.approvals : 0,
      approval,
    },
    steps: run.steps.map((s) => ({
      step: s.step,
      primitive: s.primitive,
      params: s.params,
      state: s.state,
      summary: s.summary,
      targets: s.targets,
      risk: s.risk,
      undo: s.hasUndo,
      uncertain: s.isUncertain,
    })),
    ends_with: run.endsWith,
  };
}

/** Exit code 1 when it failed or was not let run. */
export function ranAnswer(run: RunNow, events: readonly GraceEvent[]): Answer {
  const { isTakenUp: _, ...data } = run;
  const steps = events.flatMap((e) => (e.type === 'step' && e.state !== 'start' && e.state !== 'progress' ? [e] : []));
  const marks = { done: paint('green', '✔'), nothing_to_do: paint('dim', '·'), failed: paint('red', '✖') } as const;
  const outcome = {
    applied: `${paint('green', 'done')}: ${run.playbook} for ${run.component}; undo is kept in the journal (${run.run ?? ''}), the next boot shows whether it holds`,
    nothing_to_do: `nothing to do: ${run.component} has already what ${run.playbook} is for`,
    failed: `${paint('red', 'failed')}, and what it had done was undone: ${run.detail}`,
    waiting: `${paint('yellow', 'not run')}: ${run.detail}`,
  } as const;
  return {
    exitCode: run.state === 'failed' || run.state === 'waiting' ? 1 : 0,
    data: { dry_run: false, ...data, steps: steps.map(({ step, state, summary }) => ({ step, state, summary })) },
    lines: [
      ...steps.map(
        (s) => `  ${marks[s.state as keyof typeof marks]} ${wrap(s.summary === '' ? s.step : s.summary, columns() - 4, '    ')}`,
      ),
      outcome[run.state],
      ...(run.approval === null
        ? []
        : [
            ...anotherPerson(run.approval, run.isTakenUp),
            '  what Grace asks for itself, when the failure is there, you may approve alone',
          ]),
    ],
  };
}
