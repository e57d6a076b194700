import type { Check, CheckReport, Finding } from '../../preflight/index.ts';
import type { BootContext } from '../boot-context.ts';

/**
 * Runs the checks of one moment. Before the start their errors stop the boot, and so they do once it is up, where there are errors only
 * if the config asks for that; beside it they stop nothing, since the service itself
 * tells by then whether it can live with what they found, and what it fails of is healed. A dry run starts nothing: there both count.
 */
export async function preflightChecks(
  when: Check['when'],
  context: BootContext,
): Promise<{ readonly checks: readonly CheckReport[]; readonly findings: readonly Finding[]; readonly failures: readonly string[] }> {
  const checks = await context.core.preflight(when);
  const findings = checks.flatMap((check) => check.findings);
  const errors = when !== 'beside_start' || context.isDryRun ? findings.filter(({ severity }) => severity === 'error') : [];
  return { checks, findings, failures: errors.map(({ component, message }) => `${component}: ${message}`) };
}
