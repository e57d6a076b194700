import type { Finding } from '../../preflight/index.ts';
import { finding, type Stage } from '../boot-context.ts';
import { BOOT_PLANS } from '../boot-plan.ts';
import { StageParts } from '../stage-parts.ts';

export const startupPlaybooks: Stage = {
  number: 4,
  name: 'Startup Playbooks',
  onFailure: 'continue',
  async run(context) {
    const findings: Finding[] = [];
    const fixes: string[] = [];
    const failures: string[] = [];
    const parts = new StageParts(context, findings, failures);
    // Where layers are drawn, the one that playbooks stand on is asked first; elsewhere the first playbook tells.
    if (BOOT_PLANS[context.mode].layers.length > 0)
      await parts.run('spine', 'audit log and playbook process', 'spine', async () => {
        const { governance, executor } = await context.core.spine();
        if (governance !== null)
          findings.push(
            finding('warn', 'audit_not_written', 'grace', governance, 'see: grace audit verify; what a policy wants recorded is not done'),
          );
        if (executor !== null) failures.push(`no playbook can be run: ${executor}`);
      });
    const known = await parts.run('playbooks', 'playbooks and what they prevent', 'mission_control', async () => {
      const { known: count, edited, broken } = await context.core.syncPlaybooks();
      findings.push(...broken);
      for (const name of edited)
        findings.push(finding('info', 'playbook_edited', 'grace', `playbook ${name} was edited: it is a new version now`, 'nothing to do'));
      for (const guard of context.guardFindings) {
        if (guard.fix === null) continue;
        const spec = context.supervision.spec(guard.component);
        const { state, detail } = await context.core.runGuardFix(spec, guard, 'boot', context.signal);
        if (state === 'applied') fixes.push(`${guard.component}: ${guard.fix.playbook}`);
        else if (state !== 'nothing_to_do')
          findings.push(
            finding(
              'warn',
              'guard_fix_open',
              guard.component,
              `${guard.fix.playbook}: ${detail}`,
              'see: grace approvals list, grace explain',
            ),
          );
      }
      return count;
    });
    return {
      result: failures.length > 0 ? 'failed' : findings.some((f) => f.severity !== 'info') ? 'warned' : 'success',
      metrics: { 'startup.playbooks_known': known, 'startup.playbooks_run': fixes.length },
      findings,
      parts: parts.list,
      fixes,
      failure: failures[0] ?? null,
      detail: failures[0] ?? (fixes.length > 0 ? `prevented: ${fixes.join(', ')}` : ''),
    };
  },
};
