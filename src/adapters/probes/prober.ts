import { connect } from 'node:net';
import { codeOf, messageOf, type Clock, type Files, type Spawner } from '../../kernel/index.ts';
import type { ProbeContext, ProbeOutcome, Prober, ProbeResult, ProbeTarget } from '../../domains/health/index.ts';

/** What an unreachable address is called, for people. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ETIMEDOUT: 'no answer',
  ENOTFOUND: 'host not found',
  EHOSTUNREACH: 'host unreachable',
  EPIPE: 'connection closed',
};

/** Never empty: the error of a host with several addresses has no message of its own. */
function wordsOf(error: unknown): string {
  return WORDS[codeOf(error) ?? ''] ?? (messageOf(error) || codeOf(error) || 'no connection');
}

/** Of an address whose name could not be looked up: nobody was asked. */
const NOT_LOOKED_UP = ['ENOTFOUND', 'EAI_AGAIN'];

/** The probe itself could not be carried out, which says nothing about what it was to ask. */
class NotAsked extends Error {}

/** Enough of a body to say what went wrong. */
const BODY_CHARS_MAX = 300;

export function nodeProber(clock: Clock, files: Files, spawner: Spawner): Prober {
  async function ask(target: ProbeTarget, context: ProbeContext): Promise<string> {
    switch (target.kind) {
      case 'http':
        return askHttp(target, context);
      case 'tcp':
        return askTcp(target.host, target.port, context.timeoutMs);
      case 'command': {
        const result = await spawner.run(target.argv, {
          cwd: context.cwd,
          env: context.env,
          timeoutMs: context.timeoutMs,
          ...(context.signal === undefined ? {} : { signal: context.signal }),
        });
        if (result.spawnErrorCode !== null) throw new NotAsked(`cannot run ${target.argv[0] ?? ''}: ${result.spawnErrorCode}`);
        if (result.timedOut) return `no result within ${context.timeoutMs} ms`;
        if (result.exitCode === 0) return '';
        const said = (result.stderr.trim() || result.stdout.trim()).slice(-BODY_CHARS_MAX);
        return `exit ${result.exitCode ?? result.signal ?? '?'}${said === '' ? '' : `: ${said}`}`;
      }
      case 'file_age': {
        const stat = await files.stat(target.path);
        if (stat === null) return `${target.path} does not exist`;
        const ageMs = clock.nowMs() - stat.mtimeMs;
        return ageMs <= target.maxAgeMs ? '' : `${target.path} is ${Math.round(ageMs)} ms old, more than ${target.maxAgeMs} ms`;
      }
      case 'process':
        return context.pid === null ? 'it does not run' : '';
    }
  }

  return {
    async probe(target, context): Promise<ProbeResult> {
      const startedMs = clock.monotonicMs();
      const ended = (outcome: ProbeOutcome, detail: string): ProbeResult => ({
        outcome,
        latencyMs: clock.monotonicMs() - startedMs,
        detail,
      });
      try {
        const detail = await ask(target, context);
        return ended(detail === '' ? 'pass' : 'fail', detail);
      } catch (error) {
        return ended(error instanceof NotAsked ? 'unknown' : 'fail', messageOf(error) || 'it could not be looked at');
      }
    },
  };
}

/** @returns '' when it answered as expected, else what was wrong */
async function askHttp(target: Extract<ProbeTarget, { kind: 'http' }>, context: ProbeContext): Promise<string> {
  const url = new URL(target.url);
  const isTls = url.protocol === 'https:';
  // A liveness probe asks whether it answers, not whether its certificate is trusted: the smoke test does that.
  const tls = isTls ? await import('node:tls') : null;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || (isTls ? 443 : 80));
  return new Promise<string>((resolve, reject) => {
    const socket = tls === null ? connect({ host, port }) : tls.connect({ host, port, rejectUnauthorized: false });
    let answer = '';
    const finish = (detail: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(detail);
    };
    const timer = setTimeout(() => finish(`no answer within ${context.timeoutMs} ms`), context.timeoutMs);
    socket.once('error', (error) => {
      if (NOT_LOOKED_UP.includes(codeOf(error) ?? '')) reject(new NotAsked(wordsOf(error)));
      finish(wordsOf(error));
    });
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('utf8');
      const verdict = judge(answer, target.expectStatus, false);
      if (verdict !== null) finish(verdict);
    });
    socket.once('end', () => finish(judge(answer, target.expectStatus, true) ?? 'the connection was closed without an answer'));
    socket.write(
      `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nUser-Agent: grace-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n`,
    );
  });
}

/**
 * Reads as much of an HTTP/1 answer as a probe needs: its status line, and the beginning of the body when the status is
 * not the expected one. A probe a second for each component must cost next to nothing: `node:http` costs three times it.
 * @returns '' when it is as expected, what is wrong otherwise, null when more has to come
 */
function judge(answer: string, expectStatus: readonly number[] | null, isWhole: boolean): string | null {
  const lineEnd = answer.indexOf('\n');
  if (lineEnd < 0)
    return isWhole && answer !== '' ? 'it does not answer in HTTP' : answer.length > BODY_CHARS_MAX ? 'it does not answer in HTTP' : null;
  const status = Number(/^HTTP\/1\.[01] (\d{3})\b/.exec(answer)?.[1] ?? 0);
  if (status === 0) return 'it does not answer in HTTP';
  if (expectStatus === null ? status >= 200 && status < 400 : expectStatus.includes(status)) return '';
  const headEnd = answer.indexOf('\r\n\r\n');
  const body = headEnd < 0 ? '' : answer.slice(headEnd + 4);
  if (!isWhole && body.length < BODY_CHARS_MAX) return null;
  // The sizes of chunks are no part of what it says.
  const said = body
    .replace(/^[0-9a-f]{1,8}\r\n|\r\n[0-9a-f]{1,8}\r\n(?:\r\n)?/gi, '')
    .slice(0, BODY_CHARS_MAX)
    .trim();
  return `HTTP ${status}${said === '' ? '' : `: ${said}`}`;
}

function askTcp(host: string, port: number, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const finish = (detail: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(detail);
    };
    const timer = setTimeout(() => finish(`no answer within ${timeoutMs} ms`), timeoutMs);
    socket.once('connect', () => finish(''));
    socket.once('error', (error) => {
      if (NOT_LOOKED_UP.includes(codeOf(error) ?? '')) reject(new NotAsked(wordsOf(error)));
      finish(wordsOf(error));
    });
  });
}
