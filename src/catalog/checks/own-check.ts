import type { Check, CheckContext, Finding, OwnCheckSpec, Severity } from '../../domains/preflight/index.ts';
import { found } from './found.ts';

/** Of what a command printed: its last lines say why. */
const LINES_SHOWN = 3;

/** A check of the user's own [PF-7]: a command, or a function of a module, in a process of its own. */
export function ownCheck(spec: OwnCheckSpec): Check {
  return {
    name: spec.name,
    title: spec.name.replaceAll('_', ' '),
    // The process is ended at its limit; a little later the check is, whatever became of that.
    timeLimitMs: spec.timeLimitMs + 1000,
    when: 'before_start',
    severityWhenBroken: spec.severity,
    isNeeded: () => Promise.resolve(true),
    run: (context) =>
      spec.target.kind === 'command' ? runCommand(spec, spec.target.argv, context) : callFunction(spec, spec.target.module, context),
  };
}

async function runCommand(spec: OwnCheckSpec, argv: readonly string[], context: CheckContext): Promise<readonly Finding[]> {
  const component = componentOf(spec, context);
  const env = component === undefined ? {} : await context.environmentOf(component);
  const { timeLimitMs: timeoutMs } = spec;
  const result = await context.spawner.run(argv, { cwd: component?.cwd ?? context.projectDir, env, timeoutMs, signal: context.signal });
  if (result.exitCode === 0) return [];
  const said = lastLines(result.stderr) || lastLines(result.stdout);
  const how = result.timedOut
    ? `took more than ${timeoutMs} ms, and was ended`
    : result.spawnErrorCode !== null
      ? `could not be started (${result.spawnErrorCode})`
      : result.signal === null
        ? `ended with exit code ${result.exitCode}`
        : `was ended by ${result.signal}`;
  return [
    say(
      spec,
      component?.name,
      `"${spec.name}" ${how}${said === '' ? '' : `: ${said}`}`,
      `run it by hand: ${(argv[0] ?? '').slice(0, 80)}`,
      spec.severity,
      context,
    ),
  ];
}

async function callFunction(
  spec: OwnCheckSpec,
  module: Extract<OwnCheckSpec['target'], { kind: 'module' }>['module'],
  context: CheckContext,
): Promise<readonly Finding[]> {
  const component = componentOf(spec, context);
  const env = component === undefined ? {} : await context.environmentOf(component);
  const cwd = component?.cwd ?? context.projectDir;
  const input = { component: component?.name ?? '', cwd, projectDir: context.projectDir };
  const answer = await context.runModule({ task: 'call', module, cwd, env, input, timeLimitMs: spec.timeLimitMs }, context.signal);
  if (answer.state !== 'answered')
    return [say(spec, component?.name, `"${spec.name}" ${answer.problem}`, `look at ${module.file}`, spec.severity, context)];
  return answer.issues.map((issue) =>
    say(
      spec,
      component?.name,
      issue.message,
      issue.hint ?? `see the check "${spec.name}"`,
      severityOf(issue.severity) ?? spec.severity,
      context,
    ),
  );
}

function say(
  spec: OwnCheckSpec,
  component: string | undefined,
  message: string,
  hint: string,
  severity: Severity,
  context: CheckContext,
): Finding {
  return found(context, { severity, code: spec.name, component: component ?? 'grace', message, hint });
}

function componentOf(spec: OwnCheckSpec, { components }: CheckContext): CheckContext['components'][number] | undefined {
  return spec.component === null ? components[0] : components.find(({ name }) => name === spec.component);
}

function lastLines(output: string): string {
  return output
    .slice(-2000)
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .slice(-LINES_SHOWN)
    .join(' | ');
}

function severityOf(text: string | undefined): Severity | null {
  return text === 'info' || text === 'warn' || text === 'error' ? text : null;
}
