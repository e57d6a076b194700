import { readFile } from 'node:fs/promises';
import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import type { AskHttp } from '../../domains/preflight/index.ts';
import { codeOf, messageOf } from '../../kernel/index.ts';

/** One GET, over TLS with the certificate checked. Nothing of the body is read. */
export const askHttp: AskHttp = async (question, signal) => {
  let ca: string | undefined;
  try {
    if (question.caFile !== null) ca = await readFile(question.caFile, 'utf8');
  } catch (error) {
    return { problem: `its authority ${question.caFile} cannot be read (${codeOf(error) ?? 'unknown'})`, code: 'CERT_FILE' };
  }
  return new Promise((resolve) => {
    const fail = (problem: string, code: string): void => resolve({ problem, code });
    const until = AbortSignal.any([signal, AbortSignal.timeout(question.timeoutMs)]);
    const options = { method: 'GET', agent: false as const, signal: until };
    const request = question.url.startsWith('https:')
      ? requestTls(question.url, {
          ...options,
          ...(ca === undefined ? {} : { ca }),
          ...(question.serverName === null ? {} : { servername: question.serverName }),
          rejectUnauthorized: question.isCertificateChecked,
        })
      : requestPlain(question.url, options);
    request.on('response', (response) => {
      resolve({ status: response.statusCode ?? 0 });
      response.destroy();
    });
    request.on('error', (error) =>
      until.aborted
        ? fail(`no answer within ${question.timeoutMs} ms`, 'ETIMEDOUT')
        : fail(messageOf(error).slice(0, 200), codeOf(error) ?? 'EUNKNOWN'),
    );
    request.end();
  });
};
