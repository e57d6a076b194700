import type { AskServer, ServerProtocol, ServerQuestion } from '../../domains/preflight/index.ts';
import { askAmqp } from './amqp.ts';
import { Conversation } from './conversation.ts';
import { askHttp } from './http.ts';
import { askMysql } from './mysql.ts';
import { askNats } from './nats.ts';
import { NoAnswer, noAnswer } from './no-answer.ts';
import { askPostgresql } from './postgresql.ts';
import { recognise } from './recognise.ts';
import { askRedis } from './redis.ts';
import type { Told } from './told.ts';

const SPEAKERS: Readonly<Record<ServerProtocol, (talk: Conversation, question: ServerQuestion) => Promise<Told>>> = {
  postgresql: askPostgresql,
  mysql: askMysql,
  redis: askRedis,
  nats: askNats,
  amqp: askAmqp,
  http: askHttp,
  tls: askTls,
  tcp: () => Promise.resolve({ product: 'server', version: null, clockMs: null, atMs: Date.now() }),
};

const NAMES: Readonly<Record<ServerProtocol, string>> = {
  postgresql: 'PostgreSQL',
  mysql: 'MySQL',
  redis: 'Redis',
  nats: 'NATS',
  amqp: 'AMQP',
  http: 'HTTP',
  tls: 'TLS',
  tcp: 'TCP',
};

/** Asks a server in its own protocol, over one connection that is closed at once. */
export const askServer: AskServer = async (question, signal) => {
  const until = AbortSignal.any([signal, AbortSignal.timeout(question.timeoutMs)]);
  let talk: Conversation | null = null;
  try {
    talk = await Conversation.open(question, until);
    const { product, version, clockMs, atMs } = await SPEAKERS[question.protocol](talk, question);
    const clockOffsetMs = clockMs === null ? null : Math.round(clockMs - atMs);
    return { state: 'answered', product, version, clockOffsetMs, certificateEndsMs: talk.certificateEndsMs };
  } catch (error) {
    const { failure, message } = noAnswer(error);
    return { state: 'failed', ...explained(question, failure, message, talk?.first ?? new Uint8Array()) };
  } finally {
    talk?.close();
  }
};

/** Says who speaks there instead, where it can be told. */
function explained(question: ServerQuestion, failure: NoAnswer['failure'], problem: string, first: Uint8Array) {
  if (!['other_protocol', 'closed', 'timeout', 'too_much'].includes(failure)) return { failure, problem };
  const other = recognise(first);
  if (other === null || other === NAMES[question.protocol]) return { failure, problem };
  return { failure: 'other_protocol' as const, problem: `it speaks ${other}, not ${NAMES[question.protocol]}` };
}

async function askTls(talk: Conversation): Promise<Told> {
  await talk.encrypt();
  return { product: 'TLS server', version: null, clockMs: null, atMs: Date.now() };
}
