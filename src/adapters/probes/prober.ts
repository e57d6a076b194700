import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { codeOf, messageOf, type Clock, type Files, type Spawner } from '../../kernel/index.ts';
import type { ProbeContext, Prober, ProbeResult, ProbeTarget } from '../../domains/health/index.ts';

/** What an unreachable address is called, for people. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ETIMEDOUT: 'no answer',
  ENOTFOUND: 'host not found',
  EHOSTUNREACH: 'host unreachable',
  EPIPE: 'connection closed',
};

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
        if (result.spawnErrorCode !== null) return `cannot run ${target.argv[0] ?? ''}: ${result.spawnErrorCode}`;
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
      const detail = await ask(target, context).catch((error: unknown) => messageOf(error));
      return { outcome: detail === '' ? 'pass' : 'fail', latencyMs: clock.monotonicMs() - startedMs, detail };
    },
  };
}

/** @returns '' when it answered as expected, else what was wrong */
async function askHttp(target: Extract<ProbeTarget, { kind: 'http' }>, context: ProbeContext): Promise<string> {
  const isTls = target.url.startsWith('https:');
  const send = isTls ? (await import('node:https')).request : httpRequest;
  return new Promise<string>((resolve) => {
    let done = false;
    const finish = (detail: string): void => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      request.destroy();
      resolve(detail);
    };
    const request = send(
      target.url,
      // A liveness probe asks whether it answers, not whether its certificate is trusted: the smoke test does that.
      {
        method: 'GET',
        agent: false,
        headers: { 'user-agent': 'grace-probe', accept: '*/*', connection: 'close' },
        ...(isTls ? { rejectUnauthorized: false } : {}),
      },
      (response: IncomingMessage) => {
        const status = response.statusCode ?? 0;
        const isExpected = target.expectStatus === null ? status >= 200 && status < 400 : target.expectStatus.includes(status);
        if (isExpected) {
          finish('');
          return;
        }
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
          if (body.length > BODY_CHARS_MAX) finish(`HTTP ${status}: ${body.slice(0, BODY_CHARS_MAX)}`);
        });
        response.on('end', () => finish(`HTTP ${status}${body === '' ? '' : `: ${body}`}`));
        response.on('error', () => finish(`HTTP ${status}`));
      },
    );
    const timer = setTimeout(() => finish(`no answer within ${context.timeoutMs} ms`), context.timeoutMs);
    request.on('error', (error) => finish(WORDS[codeOf(error) ?? ''] ?? messageOf(error)));
    request.end();
  });
}

function askTcp(host: string, port: number, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (detail: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(detail);
    };
    const timer = setTimeout(() => finish(`no answer within ${timeoutMs} ms`), timeoutMs);
    socket.once('connect', () => finish(''));
    socket.once('error', (error) => finish(WORDS[codeOf(error) ?? ''] ?? messageOf(error)));
  });
}
