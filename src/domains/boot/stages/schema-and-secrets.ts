import type { CheckFailure } from '../../healing/index.ts';
import type { Finding } from '../../preflight/index.ts';
import type { ComponentSpec } from '../../supervisor/index.ts';
import { failedCheck, finding, stageTitle, type BootContext, type Stage } from '../boot-context.ts';
import { StageParts } from '../stage-parts.ts';
import { preflightChecks } from './preflight-checks.ts';
import { fact } from './preflight-gate.ts';

export const schemaAndSecrets: Stage = {
  number: 2,
  name: 'Schema Sync & Secrets',
  onFailure: 'abort',
  async run(context) {
    const findings: Finding[] = [];
    const fixes: string[] = [];
    const failures: string[] = [];
    const parts = new StageParts(context, findings, failures);
    let pendingCount = 0;
    const title = stageTitle(schemaAndSecrets);
    const note = (spec: ComponentSpec, result: Awaited<ReturnType<BootContext['supervision']['passCheck']>>, code: string): void => {
      fixes.push(...result.fixes.map((f) => `${spec.name}: ${f}`));
      if (result.state !== 'failed') return;
      findings.push(failedCheck(code, spec.name, result));
      if (spec.critical) failures.push(`${spec.name}: ${result.cause}`);
    };
    // One after the other: components may share a database and an env file, and the second finds them mended.
    for (const spec of context.components.filter((c) => c.kind === 'process' && !context.reconciled.adopted.includes(c.name))) {
      const secrets = await parts.run('environment', 'environment and env files', 'services', async () => {
        const result = await context.supervision.passCheck(spec, title, () => envCheck(spec, context));
        note(spec, result, 'env_missing');
        return result;
      });
      if (secrets.state !== 'passed') continue;
      await parts.run('migrations', 'migrations', 'services', async () => {
        const result = await context.supervision.passCheck(spec, title, async () => {
          const pending = await context.core.pendingMigrations(spec);
          pendingCount = Math.max(pendingCount, pending.length);
          return pendingFailure(pending, spec);
        });
        note(spec, result, 'schema_behind');
        if (result.state !== 'passed') return;
        const added = await context.supervision.passCheck(spec, title, () => lackingCheck(spec, context));
        fixes.push(...added.fixes.map((f) => `${spec.name}: ${f}`));
        // Whether the service can live without it, it says itself, and what it fails of is healed.
        if (added.state === 'failed') findings.push({ ...failedCheck('schema_lacks', spec.name, added), severity: 'warn' });
      });
    }
    // After what could be mended: what a fix has made is looked at as it is now.
    const asked = await parts.run('asked_for', 'checks that the config asks for', 'services', async () => {
      const answer = await preflightChecks('before_start', context);
      findings.push(...answer.findings);
      failures.push(...answer.failures);
      return answer;
    });
    const encoding = context.core.consoleEncoding();
    if (encoding !== 'utf-8')
      findings.push(
        finding(
          'info',
          'console_not_utf8',
          'grace',
          `the console's locale is ${encoding}`,
          'components get their own; set LANG=C.UTF-8 to see every character here',
        ),
      );
    return {
      result: failures.length > 0 ? 'failed' : findings.some((f) => f.severity !== 'info') ? 'warned' : 'success',
      metrics: { 'startup.console_encoding': encoding, 'startup.pending_migrations': pendingCount },
      findings,
      checks: asked.checks,
      parts: parts.list,
      fixes,
      failure: failures.length > 0 ? failures.join('; ') : null,
      detail: failures.length > 0 ? (failures[0] ?? '') : '',
    };
  },
};

/** What the release wants and its database lacks is healed before the start, where that loses nothing. */
export async function lackingCheck(spec: ComponentSpec, context: BootContext): Promise<CheckFailure | null> {
  const lacks = await context.core.schemaLacks(spec);
  if (lacks === null) return null;
  const { names, wantedBy } = lacks;
  const shown = `${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`;
  const message = `the database lacks ${shown}, which the release has, by ${wantedBy}`;
  return { message, facts: [fact('relation_missing', names[0] ?? '', message)], mustPass: false };
}

/**
 * Env files that a person named must be there when an example says how they look; required variables must have a value. An example alone
 * asks for nothing: its values may come from anywhere, and what the service lacks it says when it starts.
 */
export async function envCheck(spec: ComponentSpec, context: BootContext): Promise<CheckFailure | null> {
  for (const file of spec.needsEnvFiles ? spec.envFiles : []) {
    if ((await context.files.stat(file)) !== null) continue;
    if ((await context.files.stat(`${file}.example`)) !== null)
      return { message: `${file} is missing; ${file}.example is there`, facts: [fact('path_missing', file)], mustPass: spec.critical };
  }
  if (spec.requiredEnv.length === 0) return null;
  const env = await context.core.environmentOf(spec);
  const missing = spec.requiredEnv.filter((name) => (env[name] ?? '') === '');
  if (missing.length === 0) return null;
  return {
    message: `missing required environment: ${missing.join(', ')}`,
    facts: missing.map((name) => fact('env_missing', name)),
    mustPass: spec.critical,
  };
}

export function pendingFailure(pending: readonly string[], spec: ComponentSpec): CheckFailure | null {
  if (pending.length === 0) return null;
  return {
    message: `${pending.length} pending migration${pending.length === 1 ? '' : 's'}: ${pending.slice(0, 5).join(', ')}`,
    facts: [fact('migration_pending', pending[0] ?? '')],
    mustPass: spec.critical,
  };
}
