import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Raw sockets: an HTTP client keeps pools and timers that would be measured too. */
const EVERY_MS = 2;
const ANSWER_MS_MAX = 1000;

export type Answer =
  | { readonly state: 'ok'; readonly pid: number }
  | { readonly state: 'refused' }
  | { readonly state: 'broken'; readonly why: string };

/** One request; the services answer with their pid. */
export function ask(port: number, path = '/', timeoutMs = ANSWER_MS_MAX): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    let text = '';
    let timer: NodeJS.Timeout | undefined;
    const finish = (answer: Answer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    timer = setTimeout(() => finish({ state: 'broken', why: 'no answer' }), timeoutMs);
    socket.on('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`));
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.on('end', () =>
      finish(
        text.startsWith('HTTP/1.1 200 ') ? { state: 'ok', pid: bodyPid(text) } : { state: 'broken', why: text.slice(0, 60) || 'closed' },
      ),
    );
    socket.on('error', (error: NodeJS.ErrnoException) =>
      finish(error.code === 'ECONNREFUSED' ? { state: 'refused' } : { state: 'broken', why: error.code ?? error.message }),
    );
  });
}

/** Nothing is listening there, or it answers with chunks: the pid is the first line of digits after the headers. */
function bodyPid(text: string): number {
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  return Number(/^\d+$/m.exec(body.split('\r\n').findLast((line) => line !== '') ?? '')?.[0] ?? 0);
}

export interface Serving {
  /** performance.now() of the first 200. */
  readonly atMs: number;
  readonly pid: number;
  /** Requests on the way there that nobody accepted. */
  readonly refused: number;
}

/**
 * Asks every `everyMs` until there is a 200.
 * @param options.except   an answer of this process does not count: it was just killed
 * @throws when there is none within `timeoutMs`
 */
export async function untilServing(
  port: number,
  options: { except?: number; timeoutMs?: number; everyMs?: number; path?: string } = {},
): Promise<Serving> {
  const deadlineMs = performance.now() + (options.timeoutMs ?? 30_000);
  for (let refused = 0; ;) {
    const answer = await ask(port, options.path ?? '/');
    if (answer.state === 'ok' && answer.pid !== options.except) return { atMs: performance.now(), pid: answer.pid, refused };
    if (answer.state === 'refused') refused++;
    if (performance.now() > deadlineMs) throw new Error(`nothing serves on port ${port} (${JSON.stringify(answer)})`);
    await sleep(options.everyMs ?? EVERY_MS);
  }
}

/** When the last of several serves. Ten pollers at full rate would take the CPU that the services need. */
export async function untilAllServing(ports: readonly number[], timeoutMs = 60_000): Promise<number> {
  const served = await Promise.all(ports.map((port) => untilServing(port, { everyMs: 10, timeoutMs })));
  return Math.max(...served.map((s) => s.atMs));
}

/** Asks steadily until stopped, as a client would. */
export function keepAsking(port: number, everyMs: number): { stop(): Promise<{ readonly asked: number; readonly failed: number }> } {
  const over = new AbortController();
  let asked = 0;
  let failed = 0;
  const loop = (async () => {
    while (!over.signal.aborted) {
      asked++;
      if ((await ask(port)).state !== 'ok') failed++;
      await sleep(everyMs);
    }
  })();
  return {
    async stop() {
      over.abort();
      await loop;
      return { asked, failed };
    },
  };
}
