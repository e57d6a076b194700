import type { Finding } from '../../preflight/index.ts';
import { finding, type Stage } from '../boot-context.ts';

export const startupPlaybooks: Stage = {
  number: 4,
  name: 'Startup Playbooks',
  onFailure: 'continue',
  isCare: true,
  async run(context) {
    const findings: Finding[] = [];
    const fixes: string[] = [];
    const { known, edited, broken } = await context.core.syncPlaybooks();
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
    return {
      result: findings.some((f) => f.severity !== 'info') ? 'warned' : 'success',
      metrics: { 'startup.playbooks_known': known, 'startup.playbooks_run': fixes.length },
      findings,
      fixes,
      failure: null,
      detail: fixes.length > 0 ? `prevented: ${fixes.join(', ')}` : '',
    };
  },
};
