import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { ServerQuestion } from '../../domains/preflight/index.ts';
import type { Conversation } from './conversation.ts';
import { NoAnswer } from './no-answer.ts';
import type { Told } from './told.ts';

/** Servers ask for 4096 by default; a hostile one could ask for minutes of ours. */
const ITERATIONS_MAX = 1_000_000;
/** Notices and parameters before the first answer. */
const MESSAGES_MAX = 200;

/**
 * Logs in, reads the version and the time.
 * @see PostgreSQL 18, chapter 54 (frontend/backend protocol 3.0); RFC 5802 and 7677 for SCRAM-SHA-256
 */
export async function askPostgresql(talk: Conversation, question: ServerQuestion): Promise<Told> {
  if (question.encryption !== 'off') {
    talk.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])); // SSLRequest
    const answer = String.fromCharCode((await talk.read(1))[0] ?? 0);
    if (answer === 'S') await talk.encrypt();
    else if (answer !== 'N') throw unexpected();
    else if (question.encryption === 'require') throw new NoAnswer('encryption', 'it does not encrypt, and the URL asks for it');
  }
  const user = question.user ?? 'postgres';
  const parameters = ['user', user, 'database', question.database ?? user, 'application_name', 'grace'];
  const body = Buffer.from(`${parameters.map((one) => one.replaceAll('\0', '')).join('\0')}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(body.length + 8, 0);
  head.writeInt32BE(196_608, 4); // protocol 3.0
  talk.write(Buffer.concat([head, body]));

  const version = await logIn(talk, question, user);
  const askedMs = Date.now();
  send(talk, 'Q', 'SELECT extract(epoch FROM clock_timestamp())::text\0');
  let seconds: number | null = null;
  await each(talk, (type, content) => {
    if (type === 'D') seconds = Number(content.toString('utf8', 6));
    return type === 'Z';
  });
  const told = { product: 'PostgreSQL', version, atMs: (askedMs + Date.now()) / 2 };
  talk.close(Buffer.from([0x58, 0, 0, 0, 4])); // Terminate
  return { ...told, clockMs: seconds === null ? null : seconds * 1000 };
}

/** @returns the version of the server, when it is ready for a query */
async function logIn(talk: Conversation, { password }: ServerQuestion, user: string): Promise<string | null> {
  let version: string | null = null;
  let scram: Scram | null = null;
  const secret = (): string => {
    if (password === null) throw new NoAnswer('login_missing', 'it asks for a password, and the service has none for it');
    return password;
  };
  await each(talk, async (type, content) => {
    if (type === 'S') {
      const [name, value] = content.toString('utf8').split('\0');
      if (name === 'server_version') version = value ?? null;
    }
    if (type !== 'R') return type === 'Z';
    switch (content.readInt32BE(0)) {
      case 0:
        if (scram !== null && !scram.isVerified) throw unexpected();
        return false;
      case 3:
        send(talk, 'p', `${secret()}\0`);
        return false;
      case 5: {
        const inner = md5(Buffer.from(secret() + user));
        send(talk, 'p', `md5${md5(Buffer.concat([Buffer.from(inner), content.subarray(4, 8)]))}\0`);
        return false;
      }
      case 10:
        if (!content.toString('latin1', 4).split('\0').includes('SCRAM-SHA-256'))
          throw new NoAnswer('login_refused', 'it asks for a way to log in that is not known');
        scram = new Scram(secret());
        send(talk, 'p', scram.first());
        return false;
      case 11:
        if (scram === null) throw unexpected();
        send(talk, 'p', await scram.last(content.toString('utf8', 4)));
        return false;
      case 12:
        if (scram === null) throw unexpected();
        scram.verify(content.toString('utf8', 4));
        return false;
      default:
        throw new NoAnswer('login_missing', 'it asks for a way to log in that only the driver of the service knows');
    }
  });
  return version;
}

/** Reads messages until `take` says that the last one came. */
async function each(talk: Conversation, take: (type: string, content: Buffer) => boolean | Promise<boolean>): Promise<void> {
  for (let n = 0; n < MESSAGES_MAX; n++) {
    const head = await talk.read(5);
    const type = String.fromCharCode(head[0] ?? 0);
    const length = head.readInt32BE(1) - 4;
    if (!/[A-Za-z]/.test(type) || length < 0 || length > 32_768) throw unexpected();
    const content = await talk.read(length);
    if (type === 'E') throw refusal(content);
    if (type === 'R' && length < 4) throw unexpected();
    if (await take(type, content)) return;
  }
  throw unexpected();
}

function send(talk: Conversation, type: string, content: string | Buffer): void {
  const body = Buffer.from(content);
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  talk.write(Buffer.concat([head, body]));
}

function refusal(content: Buffer): NoAnswer {
  const fields = content.toString('utf8').split('\0');
  const code = fields.find((field) => /^C[0-9A-Z]{5}$/.test(field))?.slice(1) ?? '';
  const isAboutEncryption = fields.some((field) => field.startsWith('M') && /no encryption|SSL off/i.test(field));
  if (isAboutEncryption) return new NoAnswer('encryption', 'it takes no connection without encryption');
  if (code.startsWith('28')) return new NoAnswer('login_refused', `it refused the login (${code})`);
  if (code === '3D000') return new NoAnswer('unknown_database', 'it has no database of this name');
  if (code === '42501') return new NoAnswer('login_refused', 'its user may not use this database');
  if (code.startsWith('57P')) return new NoAnswer('not_ready', `it is starting or stopping (${code})`);
  if (code.startsWith('53')) return new NoAnswer('not_ready', `it has no room for another connection (${code})`);
  return code === '' ? unexpected() : new NoAnswer('not_ready', `it answered with the error ${code}`);
}

const unexpected = (): NoAnswer => new NoAnswer('other_protocol', 'it does not speak the protocol of PostgreSQL');

const md5 = (data: Buffer): string => createHash('md5').update(data).digest('hex');

class Scram {
  isVerified = false;
  private readonly password: string;
  private readonly nonce = randomBytes(18).toString('base64');
  private signature: Buffer = Buffer.alloc(0);

  constructor(password: string) {
    this.password = password.normalize('NFKC');
  }

  first(): Buffer {
    const message = Buffer.from(`n,,${this.bare()}`);
    const length = Buffer.alloc(4);
    length.writeInt32BE(message.length);
    return Buffer.concat([Buffer.from('SCRAM-SHA-256\0'), length, message]);
  }

  async last(serverFirst: string): Promise<string> {
    const [, nonce = '', salt = '', count = ''] = /^r=([^,]{1,500}),s=([A-Za-z0-9+/=]{1,500}),i=(\d{1,9})$/.exec(serverFirst) ?? [];
    const iterations = Number(count);
    if (!nonce.startsWith(this.nonce) || iterations < 1 || iterations > ITERATIONS_MAX) throw unexpected();
    const salted = await promisify(pbkdf2)(this.password, Buffer.from(salt, 'base64'), iterations, 32, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const bare = `c=biws,r=${nonce}`;
    const all = `${this.bare()},${serverFirst},${bare}`;
    const ours = hmac(createHash('sha256').update(clientKey).digest(), all);
    this.signature = hmac(hmac(salted, 'Server Key'), all);
    const proof = clientKey.map((byte, i) => byte ^ (ours[i] ?? 0));
    return `${bare},p=${Buffer.from(proof).toString('base64')}`;
  }

  /** A server that does not know the password either is not the one that is meant. */
  verify(serverLast: string): void {
    const theirs = Buffer.from(/^v=([A-Za-z0-9+/=]{1,100})/.exec(serverLast)?.[1] ?? '', 'base64');
    if (theirs.length !== this.signature.length || !timingSafeEqual(theirs, this.signature)) throw unexpected();
    this.isVerified = true;
  }

  private bare(): string {
    return `n=,r=${this.nonce}`;
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
