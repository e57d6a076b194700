import * as z from 'zod';
import type { ServerQuestion } from '../../domains/preflight/index.ts';
import type { Conversation } from './conversation.ts';
import { NoAnswer } from './no-answer.ts';
import type { Told } from './told.ts';

/** Lines between our question and its answer: PING, INFO, +OK. */
const LINES_MAX = 20;

const info = z.looseObject({
  version: z.string().max(60).optional(),
  auth_required: z.boolean().optional(),
  tls_required: z.boolean().optional(),
  nonce: z.string().optional(),
});

/**
 * Logs in with user and password, or a token, and reads the version. Keys and credential files are the driver's business.
 * @see NATS client protocol
 */
export async function askNats(talk: Conversation, question: ServerQuestion): Promise<Told> {
  const about = await readInfo(talk);
  if (about.tls_required === true || question.encryption === 'require') await talk.encrypt();
  const { user, password } = question;
  const credentials = user === null ? {} : password === null ? { auth_token: user } : { user, pass: password };
  const hello = { verbose: false, pedantic: false, name: 'grace', lang: 'node', version: '1', protocol: 0, ...credentials };
  talk.write(`CONNECT ${JSON.stringify(hello)}\r\nPING\r\n`);
  for (let n = 0; n < LINES_MAX; n++) {
    const line = await talk.readLine();
    if (line === 'PONG') {
      talk.close();
      return { product: 'NATS', version: /^\d[\d.]{0,30}/.exec(about.version ?? '')?.[0] ?? null, clockMs: null, atMs: Date.now() };
    }
    if (line.startsWith('-ERR')) throw refusal(line, user === null);
    if (line === 'PING') talk.write('PONG\r\n');
    else if (line !== '+OK' && !line.startsWith('INFO ')) throw unexpected();
  }
  throw unexpected();
}

async function readInfo(talk: Conversation): Promise<z.infer<typeof info>> {
  if ((await talk.read(5)).toString('latin1') !== 'INFO ') throw unexpected();
  try {
    return info.parse(JSON.parse(await talk.readLine()));
  } catch (error) {
    throw error instanceof NoAnswer ? error : unexpected();
  }
}

function refusal(line: string, isAnonymous: boolean): NoAnswer {
  if (/authorization|authentication|user auth/i.test(line))
    return isAnonymous
      ? new NoAnswer('login_missing', 'it asks for a login, and the URL has none')
      : new NoAnswer('login_refused', 'it refused the login');
  if (/secure connection/i.test(line)) return new NoAnswer('encryption', 'it takes no connection without encryption');
  if (/maximum connections/i.test(line)) return new NoAnswer('not_ready', 'it has no room for another connection');
  return new NoAnswer('not_ready', 'it answered with an error');
}

const unexpected = (): NoAnswer => new NoAnswer('other_protocol', 'it does not speak the protocol of NATS');
