// The process in which one playbook is read or run. It is started without powers (playbook-process.ts) and talks to Grace over
// file descriptor 3: one line of JSON for each message. It imports nothing but the runtime, so that this file is all it may read.
import module from 'node:module';
import { Socket } from 'node:net';
import { format } from 'node:util';
import type { RunContext, StepResult } from '../../domains/playbooks/index.ts';
import type { Answer, Order, Report } from './playbook-messages.ts';

/** Taken before the playbook's code is there: the playbook has no way to them. */
const { parse, stringify } = JSON;
const host = process;
const channel = new Socket({ fd: 3 });

const RUNTIME = 'grace:runtime';
/** All of `grace-runtime` that a playbook has; types are gone by now. */
const RUNTIME_SOURCE = 'export const definePlaybook = (playbook) => playbook;';
/**
 * What a playbook finds beside the language itself: time, text, and something to print with. No `process`, no `fetch`, no
 * `Buffer`: what is not there can not be asked for a power.
 */
const GLOBALS = new Set(
  (
    'globalThis Infinity NaN undefined eval isFinite isNaN parseFloat parseInt decodeURI decodeURIComponent encodeURI ' +
    'encodeURIComponent escape unescape Object Function Boolean Symbol Error AggregateError EvalError RangeError ReferenceError ' +
    'SyntaxError TypeError URIError Number BigInt Math Date String RegExp Array Int8Array Uint8Array Uint8ClampedArray Int16Array ' +
    'Uint16Array Int32Array Uint32Array BigInt64Array BigUint64Array Float16Array Float32Array Float64Array Map Set WeakMap WeakSet ' +
    'WeakRef FinalizationRegistry ArrayBuffer DataView JSON Promise Reflect Proxy Intl Iterator Temporal DisposableStack ' +
    'AsyncDisposableStack SuppressedError console setTimeout clearTimeout setInterval clearInterval setImmediate clearImmediate ' +
    'queueMicrotask structuredClone URL URLSearchParams TextEncoder TextDecoder AbortController AbortSignal Event EventTarget ' +
    'DOMException atob btoa'
  ).split(' '),
);

let order: Order | null = null;
const waiting = new Map<number, { resolve: (result: StepResult) => void; reject: (error: Error) => void }>();
/** Which error came from which step: a run that ends with one of them ended because of that step. */
const stepOfError = new WeakMap<object, number>();
let steps = 0;

let unread = '';
channel.setEncoding('utf8');
channel.on('data', (text: string) => {
  unread += text;
  for (let end = unread.indexOf('\n'); end >= 0; end = unread.indexOf('\n')) {
    const line = unread.slice(0, end);
    unread = unread.slice(end + 1);
    if (order === null) {
      order = parse(line) as Order;
      void obey(order);
    } else {
      answered(parse(line) as Answer);
    }
  }
});
// Without Grace there is nobody to act for.
channel.on('close', () => host.exit(0));
channel.on('error', () => host.exit(0));

function report(given: Order, message: Report): void {
  channel.write(`${stringify({ ...message, run: given.run })}\n`);
}

/** The last word of this process. */
function conclude(given: Order, message: Report): void {
  channel.write(`${stringify({ ...message, run: given.run })}\n`, () => host.exit(0));
}

async function obey(given: Order): Promise<void> {
  let playbook: unknown;
  try {
    const code = given.isStripped ? given.source : module.stripTypeScriptTypes(given.source);
    // Said before any of the code has run: it is what the code is, whatever it does later.
    if (!given.isStripped) report(given, { type: 'stripped', code });
    takePowersAway();
    playbook = await loaded(given.url, code);
  } catch (error) {
    return conclude(given, { type: 'unloadable', error: textOf(error) });
  }
  if (given.task === 'describe') return conclude(given, { type: 'described', head: headOf(playbook) });
  try {
    const { run } = playbook as { run: (context: RunContext) => Promise<void> };
    await run.call(playbook, { params: given.params, component: given.component, step: (...asked) => step(given, ...asked) });
    // Steps that were not waited for: one that fails is an unhandled rejection, which ends this process.
    while (waiting.size > 0) await new Promise((resolve) => setTimeoutOfHost(resolve, 5));
    conclude(given, { type: 'ended' });
  } catch (error) {
    const id = typeof error === 'object' && error !== null ? stepOfError.get(error) : undefined;
    conclude(given, { type: 'failed', error: textOf(error), ...(id === undefined ? {} : { step: id }) });
  }
}

const setTimeoutOfHost = setTimeout;

function step(given: Order, name: string, primitive: string, params: object): Promise<StepResult> {
  const id = ++steps;
  return new Promise<StepResult>((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    report(given, { type: 'step', id, name, primitive, params });
  });
}

function answered(answer: Answer): void {
  const asked = waiting.get(answer.id);
  waiting.delete(answer.id);
  if (answer.result !== undefined) return asked?.resolve(answer.result);
  const error = new Error(answer.error ?? '');
  stepOfError.set(error, answer.id);
  asked?.reject(error);
}

/** The permission model and the kernel refuse whoever gets at a power; this is so that nobody gets there. */
function takePowersAway(): void {
  const print =
    (stream: NodeJS.WriteStream) =>
    (...values: readonly unknown[]): void =>
      void stream.write(`${format(...values)}\n`);
  const [out, err] = [print(host.stdout), print(host.stderr)];
  for (const name of Reflect.ownKeys(globalThis))
    if (typeof name === 'symbol' || !GLOBALS.has(name)) Reflect.deleteProperty(globalThis, name);
  const console = { log: out, info: out, debug: out, warn: err, error: err };
  Object.defineProperty(globalThis, 'console', { value: console, configurable: true, writable: true });
}

async function loaded(url: string, code: string): Promise<unknown> {
  module.registerHooks({
    resolve(specifier) {
      if (specifier === url) return { url, format: 'module', shortCircuit: true };
      if (specifier === 'grace-runtime') return { url: RUNTIME, format: 'module', shortCircuit: true };
      throw new Error(
        `it imports ${stringify(specifier.slice(0, 80))}, and a playbook may import nothing but grace-runtime: what is to be done, it asks for with ctx.step`,
      );
    },
    load: (at) => ({ format: 'module', source: at === RUNTIME ? RUNTIME_SOURCE : code, shortCircuit: true }),
  });
  return ((await import(url)) as { default?: unknown }).default;
}

/** Plain data, whatever the playbook has put there. */
function headOf(playbook: unknown): unknown {
  if (typeof playbook !== 'object' || playbook === null) return null;
  const { name, description, risk, tier, service, match, params, verify, run } = playbook as Record<string, unknown>;
  return { name, description, risk, tier, service, match, params, verify, canRun: typeof run === 'function' };
}

function textOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error).slice(0, 2000);
  } catch {
    return 'an error that cannot be read';
  }
}
