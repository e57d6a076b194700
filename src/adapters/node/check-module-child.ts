// The process in which code of the service is asked: a schema of its environment, or a check of its own. It has the powers and the
// environment of the service, since that is whose code it is. The order comes in over standard input; the answer is the last line
// of the output, behind a mark that is made for this one run.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

interface Order {
  readonly mark: string;
  readonly task: 'validate' | 'call';
  readonly file: string;
  readonly exportName: string | null;
  readonly input: object;
}
type Standard = { validate(value: unknown): unknown };

/** Together less than what is kept of an output. */
const ISSUES_MAX = 20;
const TEXT_CHARS_MAX = 300;

let received = '';
process.stdin.setEncoding('utf8');
for await (const chunk of process.stdin) received += chunk as string;
const order = JSON.parse(received) as Order;
answer(await obey());

async function obey(): Promise<object> {
  let exported: unknown;
  try {
    const module = (await import(pathToFileURL(resolve(order.file)).href)) as Record<string, unknown>;
    exported = order.exportName === null ? usualExport(module) : module[order.exportName];
    if (exported === undefined) {
      const wanted = order.exportName ?? (order.task === 'call' ? 'function' : 'Standard Schema');
      return { state: 'unusable', problem: `has no export ${JSON.stringify(wanted)}` };
    }
  } catch (error) {
    // Modules that validate the environment themselves throw what they found.
    const issues = order.task === 'validate' ? issuesOf(error) : [];
    return issues.length > 0 ? { state: 'answered', issues } : { state: 'unusable', problem: `could not be loaded: ${textOf(error)}` };
  }
  try {
    if (order.task === 'call') {
      if (typeof exported !== 'function') return { state: 'unusable', problem: 'is no function' };
      return {
        state: 'answered',
        issues: issuesFrom(await (exported as (input: object) => unknown)({ ...order.input, env: { ...process.env } })),
      };
    }
    const standard = standardOf(exported);
    if (standard === null) return { state: 'unusable', problem: 'is no Standard Schema: it has no "~standard"' };
    return { state: 'answered', issues: issuesOf(await standard.validate({ ...process.env })) };
  } catch (error) {
    return { state: 'failed', problem: `threw: ${textOf(error)}` };
  }
}

function usualExport(module: Record<string, unknown>): unknown {
  if (module['default'] !== undefined) return module['default'];
  const fits = order.task === 'call' ? (value: unknown) => typeof value === 'function' : (value: unknown) => standardOf(value) !== null;
  const fitting = Object.values(module).filter(fits);
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** Schemas are objects, or functions in the case of ArkType. @see https://standardschema.dev */
function standardOf(value: unknown): Standard | null {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return null;
  const standard = (value as { '~standard'?: Partial<Standard> })['~standard'];
  return typeof standard?.validate === 'function' ? (standard as Standard) : null;
}

function issuesOf(result: unknown): readonly object[] {
  const issues = result !== null && typeof result === 'object' ? (result as { issues?: unknown }).issues : undefined;
  return Array.isArray(issues) ? issuesFrom(issues) : [];
}

/** What a function may answer: nothing or true, a text, an issue, or a list of them. */
function issuesFrom(value: unknown): readonly object[] {
  if (value === undefined || value === null || value === true) return [];
  if (value === false) return [{ path: '', message: 'the check says no' }];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.slice(0, ISSUES_MAX).map((one) => {
    const issue = (typeof one === 'object' && one !== null ? one : { message: one }) as Record<string, unknown>;
    return {
      path: pathOf(issue['path']),
      message: textOf(issue['message']),
      ...(typeof issue['hint'] === 'string' ? { hint: textOf(issue['hint']) } : {}),
      ...(typeof issue['severity'] === 'string' ? { severity: textOf(issue['severity']) } : {}),
    };
  });
}

function pathOf(path: unknown): string {
  if (!Array.isArray(path)) return '';
  const keys = path.map((part: unknown) => (part !== null && typeof part === 'object' ? (part as { key?: unknown }).key : part));
  return keys.map(String).join('.').slice(0, TEXT_CHARS_MAX);
}

function textOf(value: unknown): string {
  try {
    return String(value instanceof Error ? value.message : value).slice(0, TEXT_CHARS_MAX);
  } catch {
    return 'something that cannot be read';
  }
}

/** What was printed before is written first; then nothing keeps this process. */
function answer(given: object): void {
  process.stdout.write(`\n${order.mark}${JSON.stringify(given)}\n`, () => process.exit(0));
}
