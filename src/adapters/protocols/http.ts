import type { ServerQuestion } from '../../domains/preflight/index.ts';
import type { Conversation } from './conversation.ts';
import { NoAnswer } from './no-answer.ts';
import type { Told } from './told.ts';

/** `Date` has whole seconds: on average it is half of one behind. */
const HALF_SECOND_MS = 500;
const HEADERS_MAX = 100;

/**
 * One GET; of the answer the status and two headers are read, and nothing of the body.
 * @see RFC 9112, section 4 (status line); RFC 9110, section 6.6.1 (Date)
 */
export async function askHttp(talk: Conversation, question: ServerQuestion): Promise<Told> {
  if (question.encryption === 'require') await talk.encrypt();
  const { host, port, user, password, database } = question;
  const isDefaultPort = port === (question.encryption === 'require' ? 443 : 80);
  const name = `${host.includes(':') ? `[${host}]` : host}${isDefaultPort ? '' : `:${port}`}`;
  const login = user === null ? [] : [`Authorization: Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}`];
  const askedMs = Date.now();
  const path = /^\/[\u0021-\u007E]*$/.test(database ?? '') ? (database ?? '/') : '/';
  talk.write(
    [`GET ${path} HTTP/1.1`, `Host: ${name}`, 'User-Agent: grace', 'Accept: */*', 'Connection: close', ...login, '', ''].join('\r\n'),
  );
  if ((await talk.read(5)).toString('latin1') !== 'HTTP/') throw new NoAnswer('other_protocol', 'it does not speak HTTP');
  const status = Number(/^1\.[01] (\d{3})(?: |$)/.exec(await talk.readLine())?.[1]);
  if (!(status >= 100)) throw new NoAnswer('other_protocol', 'it does not speak HTTP');
  const atMs = (askedMs + Date.now()) / 2;
  const headers = await readHeaders(talk);
  talk.close();
  if (status === 401 || status === 407)
    throw user === null
      ? new NoAnswer('login_missing', `it asks for a login (${status}), and the URL has none`)
      : new NoAnswer('login_refused', `it refused the login (${status})`);
  if (status >= 500) throw new NoAnswer('not_ready', `it answered with ${status}`);
  const date = Date.parse(headers.get('date') ?? '');
  return {
    product: 'HTTP server',
    version: /^[\w-]{1,40}\/(\d[\d.]{0,20})/.exec(headers.get('server') ?? '')?.[1] ?? null,
    // a cache answers with the time at which it was filled
    clockMs: Number.isNaN(date) || headers.has('age') ? null : date + HALF_SECOND_MS,
    atMs,
  };
}

async function readHeaders(talk: Conversation): Promise<ReadonlyMap<string, string>> {
  const headers = new Map<string, string>();
  for (let n = 0; n < HEADERS_MAX; n++) {
    const line = await talk.readLine();
    if (line === '') break;
    const colon = line.indexOf(':');
    if (colon > 0)
      headers.set(
        line.slice(0, colon).toLowerCase(),
        line
          .slice(colon + 1)
          .trim()
          .slice(0, 200),
      );
  }
  return headers;
}
