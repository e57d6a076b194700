import type { ServerQuestion } from '../../domains/preflight/index.ts';
import type { Conversation } from './conversation.ts';
import { NoAnswer } from './no-answer.ts';
import type { Told } from './told.ts';

const FRAME_BYTES_MAX = 32_768;
const FRAMES_MAX = 20;
const METHOD_FRAME = 1;
const FRAME_END = 0xce;

// Class 10 is the connection; these are its methods.
const START = 10;
const START_OK = 11;
const SECURE = 20;
const TUNE = 30;
const TUNE_OK = 31;
const OPEN = 40;
const OPEN_OK = 41;
const CLOSE = 50;

/**
 * Logs in, opens the virtual host, reads product and version.
 * @see AMQP 0-9-1, sections 2.2.4 (connection), 4.2 (frames); RabbitMQ: authentication_failure_close
 */
export async function askAmqp(talk: Conversation, question: ServerQuestion): Promise<Told> {
  if (question.encryption === 'require') await talk.encrypt();
  talk.write(Buffer.from('AMQP\0\0\u0009\u0001', 'latin1'));
  const start = await expect(talk, START);
  const { product, version, mechanisms } = readStart(start);
  if (!mechanisms.includes('PLAIN'))
    throw new NoAnswer('login_missing', 'it asks for a way to log in that only the driver of the service knows');
  // What RabbitMQ has out of the box, and drivers use where a URL says nothing.
  const response = `\0${question.user ?? 'guest'}\0${question.password ?? 'guest'}`;
  // with the capability a refused login is answered; without it the server only hangs up
  const capabilities = table(Buffer.concat([short('authentication_failure_close'), Buffer.from('t\u0001', 'latin1')]));
  const properties = table(
    Buffer.concat([short('product'), Buffer.from('S'), long('grace'), short('capabilities'), Buffer.from('F'), capabilities]),
  );
  send(talk, START_OK, Buffer.concat([properties, short('PLAIN'), long(response), short('en_US')]));
  const tune = await expect(talk, TUNE);
  if (tune.length < 8) throw unexpected();
  send(talk, TUNE_OK, Buffer.concat([tune.subarray(0, 6), Buffer.from([0, 0])])); // as it wants, without a heartbeat
  send(talk, OPEN, Buffer.concat([short(question.database ?? '/'), short(''), Buffer.from([0])]));
  await expect(talk, OPEN_OK);
  // reply 200, and no method that would be the reason
  talk.close(frame(CLOSE, Buffer.concat([Buffer.from([0, 200]), short(''), Buffer.from([0, 0, 0, 0])])));
  return { product, version, clockMs: null, atMs: Date.now() };
}

/** The arguments of the method that has to come now. */
async function expect(talk: Conversation, method: number): Promise<Buffer> {
  for (let n = 0; n < FRAMES_MAX; n++) {
    const head = await talk.read(7);
    const size = head.readUInt32BE(3);
    if (head[0] === undefined || ![METHOD_FRAME, 8].includes(head[0]) || size > FRAME_BYTES_MAX) throw unexpected();
    const content = await talk.read(size + 1);
    if (content[size] !== FRAME_END) throw unexpected();
    if (head[0] !== METHOD_FRAME) continue; // a heartbeat
    if (size < 4 || content.readUInt16BE(0) !== 10) throw unexpected();
    const got = content.readUInt16BE(2);
    if (got === method) return content.subarray(4, size);
    if (got === CLOSE) throw refusal(content.subarray(4, size));
    if (got === SECURE) throw new NoAnswer('login_missing', 'it asks for a way to log in that only the driver of the service knows');
    throw unexpected();
  }
  throw unexpected();
}

function refusal(content: Buffer): NoAnswer {
  const code = content.length < 2 ? 0 : content.readUInt16BE(0);
  const words = content.toString('latin1', 3, 3 + (content[2] ?? 0));
  if (code === 403) return new NoAnswer('login_refused', 'it refused the login (403)');
  if (code === 530)
    return /access to vhost|refused for user/i.test(words)
      ? new NoAnswer('login_refused', 'its user may not use this virtual host (530)')
      : new NoAnswer('unknown_database', 'it has no virtual host of this name (530)');
  if (code === 320) return new NoAnswer('not_ready', 'it is being stopped (320)');
  return new NoAnswer('not_ready', `it answered with the error ${code}`);
}

/** Of the properties of the server only what is text and on the first level. */
function readStart(content: Buffer) {
  const size = content.length < 6 ? 0 : content.readUInt32BE(2);
  const end = 6 + size;
  if (size === 0 || content.length < end + 4) throw unexpected();
  const fields = new Map<string, string>();
  for (let at = 6; at < end;) {
    const nameLength = content[at] ?? 0;
    const name = content.toString('latin1', at + 1, at + 1 + nameLength);
    const type = String.fromCharCode(content[at + 1 + nameLength] ?? 0);
    at += 2 + nameLength;
    if (type === 't') {
      at += 1;
      continue;
    }
    // long texts and tables carry their length; whatever else comes is not needed
    if (!'SFA'.includes(type) || at + 4 > end) break;
    const length = content.readUInt32BE(at);
    if (type === 'S') fields.set(name, content.toString('utf8', at + 4, Math.min(at + 4 + length, end)));
    at += 4 + length;
  }
  const mechanismsLength = content.readUInt32BE(end);
  return {
    product: fields.get('product') === 'RabbitMQ' ? 'RabbitMQ' : 'AMQP server',
    version: /^\d[\d.]{0,30}/.exec(fields.get('version') ?? '')?.[0] ?? null,
    mechanisms: content.toString('latin1', end + 4, Math.min(end + 4 + mechanismsLength, content.length)).split(' '),
  };
}

function send(talk: Conversation, method: number, content: Buffer): void {
  talk.write(frame(method, content));
}

function frame(method: number, content: Buffer): Buffer {
  const head = Buffer.alloc(11);
  head[0] = METHOD_FRAME;
  head.writeUInt32BE(content.length + 4, 3);
  head.writeUInt16BE(10, 7);
  head.writeUInt16BE(method, 9);
  return Buffer.concat([head, content, Buffer.from([FRAME_END])]);
}

/** At most 255 bytes: a longer name is no name of anything there. */
function short(value: string): Buffer {
  const bytes = Buffer.from(value).subarray(0, 255);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function long(value: string): Buffer {
  return table(Buffer.from(value));
}

/** With its length in front. */
function table(content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

const unexpected = (): NoAnswer => new NoAnswer('other_protocol', 'it does not speak AMQP 0-9-1');
