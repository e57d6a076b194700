import { messageOf } from '../../../kernel/index.ts';
import type { Finding } from '../../preflight/index.ts';
import { finding, stageTitle, type BootContext, type Stage } from '../boot-context.ts';
import { StageParts } from '../stage-parts.ts';
import { preflightChecks } from './preflight-checks.ts';

export const smokeTests: Stage = {
  number: 7,
  name: 'Smoke Tests',
  onFailure: 'abort',
  async run(context) {
    const { supervision, core } = context;
    const findings: Finding[] = [];
    const before = supervision.fixes.length;
    const failures: string[] = [];
    const parts = new StageParts(context, findings, failures);
    let passed = 0;
    let failedCount = 0;
    let untold: string | null = null;
    await parts.run('smoke', 'smoke checks', 'apis', async () => {
      // Grace's own two: the store answers a query, and metrics can be read.
      await core.storeRoundTrip('smoke');
      passed++;
      if (core.metricsCatalog().metrics > 0) passed++;
      for (const smoke of context.smoke) {
        const failed = await supervision.smoke.judge([smoke], 3);
        if (failed.verdict === 'pass') {
          passed++;
          continue;
        }
        const blamed = supervision.smoke.blamed(smoke);
        if (failed.verdict === 'inconclusive') {
          if (smoke.critical) untold ??= `smoke check "${smoke.name}" could not be carried out: ${failed.result.detail}`;
          // What was not looked at has neither passed nor failed: nothing is healed for it, and nobody may take it for well.
          findings.push(
            finding(
              'warn',
              'smoke_inconclusive',
              blamed ?? 'service',
              `${smoke.name} could not be carried out: ${failed.result.detail}`,
              'look whether its command is there and its address is right',
            ),
          );
          continue;
        }
        failedCount++;
        const runner = blamed === null ? undefined : supervision.runners.get(blamed);
        if (smoke.critical && blamed !== null && runner !== undefined) {
          const problem = runner.problem('smoke', `smoke check "${smoke.name}" failed: ${failed.result.detail}`, 0, {
            detail: failed.result.detail,
          });
          const result = await supervision.bringUp(blamed, 'boot', stageTitle(smokeTests), problem, true);
          if (result.state === 'ready') {
            passed++;
            failedCount--;
            continue;
          }
          failures.push(`${smoke.name}: ${result.state === 'failed' ? result.cause : failed.result.detail}`);
        }
        findings.push(
          finding(
            smoke.critical ? 'error' : 'warn',
            'smoke_failed',
            blamed ?? 'service',
            `${smoke.name}: ${failed.result.detail}`,
            'see: grace explain',
          ),
        );
      }
    });
    if (failures.length === 0)
      for (const name of supervision.runners.keys()) {
        const problem = await supervision.complaintOf(name, stageTitle(smokeTests));
        if (problem !== null) await supervision.bringUp(name, 'boot', stageTitle(smokeTests), problem, true);
      }
    if (failures.length === 0) await supervision.confirmAll(untold);
    // After the fixes are confirmed: a route that was never there says nothing about them.
    const ready = failures.length > 0 || context.mode === 'fast' ? null : await whenReady(context, findings);
    findings.push(...(ready?.findings ?? []));
    failures.push(...(ready?.failures ?? []));
    const counted = (ready?.checks ?? []).flatMap(({ summary }) => summary ?? []);
    return {
      result: failures.length > 0 ? 'failed' : findings.some(({ severity }) => severity !== 'info') ? 'warned' : 'success',
      metrics: { 'startup.tests_passed': passed, 'startup.tests_failed': failedCount },
      findings,
      parts: parts.list,
      ...(ready === null ? {} : { checks: ready.checks }),
      fixes: supervision.fixes.slice(before),
      failure: failures.length > 0 ? failures.join('; ') : null,
      detail: failures[0] ?? [`${passed} passed`, ...counted].join('; '),
    };
  },
};

/** A service that is up must not go down because Grace could not look. */
async function whenReady(context: BootContext, findings: Finding[]): Promise<Awaited<ReturnType<typeof preflightChecks>> | null> {
  try {
    return await preflightChecks('when_ready', context);
  } catch (error) {
    context.signal.throwIfAborted();
    const message = `the checks of a running service could not look: ${messageOf(error)}`;
    findings.push(finding('warn', 'check_broke', 'grace', message, 'see grace.log'));
    return null;
  }
}
