import type { ServerQuestion } from '../../domains/preflight/index.ts';
import type { Conversation } from './conversation.ts';
import { NoAnswer } from './no-answer.ts';
import type { Told } from './told.ts';

const BULK_BYTES_MAX = 32_768;

/**
 * Logs in, chooses the database, reads version and time. Redis and Valkey. It is greeted first, so that the password goes to
 * nobody who speaks something else.
 * @see Redis serialization protocol (RESP2)
 */
export async function askRedis(talk: Conversation, question: ServerQuestion): Promise<Told> {
  if (question.encryption === 'require') await talk.encrypt();
  const { user, password, database } = question;
  const greeting = await command(talk, 'PING');
  const wantsLogin = greeting.kind === 'error' && greeting.word === 'NOAUTH';
  if (wantsLogin && password === null) throw new NoAnswer('login_missing', 'it asks for a password, and the service has none for it');
  if (greeting.kind === 'error' && !wantsLogin) throw refusal(greeting.word);
  if (password !== null) {
    const answer = await command(talk, 'AUTH', ...(user === null ? [] : [user]), password);
    // One without a password answers ERR: drivers go on then, and so do we.
    if (answer.kind === 'error' && (wantsLogin || answer.word !== 'ERR')) throw refusal(answer.word === 'ERR' ? 'WRONGPASS' : answer.word);
  }
  await command(talk, 'CLIENT', 'SETNAME', 'grace'); // an old one, or rules, may refuse: it changes nothing
  if (database !== null && database !== '0') {
    const answer = await command(talk, 'SELECT', database);
    if (answer.kind === 'error')
      throw answer.word === 'NOPERM'
        ? new NoAnswer('login_refused', 'its user may not use this database')
        : new NoAnswer('unknown_database', 'it has no database of this number');
  }
  const info = await command(talk, 'INFO', 'server');
  const askedMs = Date.now();
  const time = await command(talk, 'TIME');
  const atMs = (askedMs + Date.now()) / 2;
  talk.close();
  const about = info.kind === 'text' ? info.text : '';
  const valkey = /^valkey_version:(\d[\d.]{0,30})/m.exec(about)?.[1];
  const seconds = time.kind === 'list' ? Number(time.items[0]) + Number(time.items[1]) / 1e6 : Number.NaN;
  return {
    product: valkey === undefined ? 'Redis' : 'Valkey',
    version: valkey ?? /^redis_version:(\d[\d.]{0,30})/m.exec(about)?.[1] ?? null,
    clockMs: Number.isFinite(seconds) ? seconds * 1000 : null,
    atMs,
  };
}

type Reply =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'error'; readonly word: string }
  | { readonly kind: 'list'; readonly items: readonly string[] };

async function command(talk: Conversation, ...words: readonly string[]): Promise<Reply> {
  talk.write([`*${words.length}`, ...words.flatMap((word) => [`$${Buffer.byteLength(word)}`, word]), ''].join('\r\n'));
  return reply(talk);
}

async function reply(talk: Conversation): Promise<Reply> {
  // its first byte tells, so that nobody is waited for who writes no lines
  const type = (await talk.read(1)).toString('latin1');
  if (!'+-:$*'.includes(type)) throw unexpected();
  const line = await talk.readLine();
  switch (type) {
    case '+':
    case ':':
      return { kind: 'text', text: line };
    case '-':
      return { kind: 'error', word: /^[A-Z]{1,20}/.exec(line)?.[0] ?? '' };
    case '$':
      return { kind: 'text', text: await bulk(talk, line) };
    default: {
      const count = Number(line);
      if (!(count >= 0 && count <= 10)) throw unexpected();
      const items: string[] = [];
      for (let n = 0; n < count; n++) {
        const item = await talk.readLine();
        if (item.startsWith('$')) items.push(await bulk(talk, item.slice(1)));
        else if (item.startsWith(':')) items.push(item.slice(1));
        else throw unexpected();
      }
      return { kind: 'list', items };
    }
  }
}

async function bulk(talk: Conversation, length: string): Promise<string> {
  if (length === '-1') return '';
  if (!/^\d{1,6}$/.test(length) || Number(length) > BULK_BYTES_MAX) throw unexpected();
  return (await talk.read(Number(length) + 2)).toString('utf8', 0, Number(length));
}

function refusal(word: string): NoAnswer {
  switch (word) {
    case 'WRONGPASS':
    case 'NOAUTH':
      return new NoAnswer('login_refused', 'it refused the login');
    case 'NOPERM':
      return new NoAnswer('login_refused', 'its user may do nothing there');
    case 'DENIED':
      return new NoAnswer('login_refused', 'it is in protected mode, and takes connections from its own machine alone');
    case 'LOADING':
      return new NoAnswer('not_ready', 'it is still loading its data');
    case 'MASTERDOWN':
      return new NoAnswer('not_ready', 'it is a replica whose primary is down');
    case 'ERR':
      return new NoAnswer('not_ready', 'it answered with an error');
    default:
      return unexpected();
  }
}

const unexpected = (): NoAnswer => new NoAnswer('other_protocol', 'it does not speak the protocol of Redis');
