import { constants, createHash, publicEncrypt } from 'node:crypto';
import type { ServerQuestion } from '../../domains/preflight/index.ts';
import type { Conversation } from './conversation.ts';
import { NoAnswer } from './no-answer.ts';
import type { Told } from './told.ts';

// Capability flags of the client.
const LONG_PASSWORD = 0x1;
const CONNECT_WITH_DB = 0x8;
const PROTOCOL_41 = 0x200;
const SSL = 0x800;
const SECURE_CONNECTION = 0x8000;
const PLUGIN_AUTH = 0x8_0000;
const CONNECT_ATTRS = 0x10_0000;
const UTF8MB4 = 45;
const PACKET_BYTES_MAX = 16_384;
/** Of one login: greeting, switch of the method, key, result. */
const STEPS_MAX = 8;

/**
 * Logs in, reads the version and the time. MySQL and MariaDB.
 * @see MySQL internals, client/server protocol: handshake v10, caching_sha2_password, COM_QUERY
 */
export async function askMysql(talk: Conversation, question: ServerQuestion): Promise<Told> {
  const packets = new Packets(talk);
  const greeting = readGreeting(await packets.read());
  let flags = LONG_PASSWORD | PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH | CONNECT_ATTRS;
  if (question.database !== null) flags |= CONNECT_WITH_DB;
  let isEncrypted = false;
  if (question.encryption !== 'off') {
    if (greeting.canEncrypt) {
      flags |= SSL;
      packets.write(loginHead(flags));
      await talk.encrypt();
      isEncrypted = true;
    } else if (question.encryption === 'require') throw new NoAnswer('encryption', 'it does not encrypt, and the URL asks for it');
  }
  const plugin = greeting.plugin === 'caching_sha2_password' ? greeting.plugin : 'mysql_native_password';
  const password = question.password ?? '';
  const proof = proofOf(plugin, password, greeting.salt);
  packets.write(
    Buffer.concat([
      loginHead(flags),
      text(question.user ?? ''),
      Buffer.from([proof.length]),
      proof,
      ...(question.database === null ? [] : [text(question.database)]),
      text(plugin),
      attributes({ program_name: 'grace' }),
    ]),
  );
  await logIn(packets, question, plugin, greeting.salt, isEncrypted);

  packets.begin();
  const askedMs = Date.now();
  packets.write(Buffer.from('\u0003SELECT UNIX_TIMESTAMP(SYSDATE(6))', 'latin1'));
  // number of columns, the column, end of columns, the row, end of rows
  await packets.read();
  await packets.read();
  await packets.read();
  const row = await packets.read();
  await packets.read();
  const seconds = Number(row.toString('latin1', 1));
  const told = { product: greeting.product, version: greeting.version, atMs: (askedMs + Date.now()) / 2 };
  talk.close(Buffer.from([1, 0, 0, 0, 1])); // COM_QUIT
  return { ...told, clockMs: seconds > 0 ? seconds * 1000 : null };
}

async function logIn(packets: Packets, question: ServerQuestion, plugin: string, salt: Buffer, isEncrypted: boolean): Promise<void> {
  let nonce = salt;
  let method = plugin;
  const password = question.password ?? '';
  for (let step = 0; step < STEPS_MAX; step++) {
    const packet = await packets.read(question);
    switch (packet[0]) {
      case 0x00:
        return;
      case 0xfe: {
        const end = packet.indexOf(0, 1);
        if (end < 0) throw unexpected();
        method = packet.toString('latin1', 1, end);
        nonce = packet.subarray(end + 1, end + 21);
        packets.write(proofOf(method, password, nonce));
        break;
      }
      case 0x01:
        if (packet[1] === 3) break; // known from before: the result follows
        if (packet[1] === 4 && method === 'caching_sha2_password') packets.write(isEncrypted ? text(password) : Buffer.from([2])); // 2 asks for its key
        else if (packet[1] === 0x2d) packets.write(sealed(password, nonce, packet.toString('latin1', 1)));
        else throw unexpected();
        break;
      default:
        throw unexpected();
    }
  }
  throw unexpected();
}

/** Without the password in clear: what would take it asks for a method that we do not speak. */
function proofOf(plugin: string, password: string, salt: Buffer): Buffer {
  if (plugin !== 'mysql_native_password' && plugin !== 'caching_sha2_password')
    throw new NoAnswer('login_missing', 'it asks for a way to log in that only the driver of the service knows');
  if (password === '') return Buffer.alloc(0);
  const name = plugin === 'mysql_native_password' ? 'sha1' : 'sha256';
  const hash = (...parts: readonly (string | Buffer)[]): Buffer => {
    const sum = createHash(name);
    for (const part of parts) sum.update(part);
    return sum.digest();
  };
  const once = hash(password);
  const mask = name === 'sha1' ? hash(salt, hash(once)) : hash(hash(once), salt);
  return Buffer.from(once.map((byte, i) => byte ^ (mask[i] ?? 0)));
}

/** The password for the key of the server alone, as `caching_sha2_password` wants it where nothing is encrypted. */
function sealed(password: string, salt: Buffer, key: string): Buffer {
  const mixed = text(password).map((byte, i) => byte ^ (salt[i % salt.length] ?? 0));
  try {
    return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING }, mixed);
  } catch {
    throw unexpected();
  }
}

function readGreeting(packet: Buffer) {
  const end = packet.indexOf(0, 1);
  if (packet[0] !== 10 || end < 0 || packet.length < end + 32) throw unexpected();
  const full = packet.toString('latin1', 1, end).slice(0, 80);
  // MariaDB 10 calls itself 5.5.5-10.11.6-MariaDB, so that old replicas take it
  const mariadb = /^(?:5\.5\.5-)?(\d+\.\d+\.\d+)-MariaDB/i.exec(full)?.[1];
  const at = end + 5;
  const flags = packet.readUInt16LE(at + 9);
  const second = packet.subarray(at + 27, at + 39);
  const pluginAt = at + 40;
  const pluginEnd = packet.indexOf(0, pluginAt);
  return {
    product: mariadb === undefined ? 'MySQL' : 'MariaDB',
    version: mariadb ?? /^\d+(?:\.\d+){1,3}/.exec(full)?.[0] ?? null,
    canEncrypt: (flags & SSL) !== 0,
    salt: Buffer.concat([packet.subarray(at, at + 8), second]),
    plugin: packet.toString('latin1', pluginAt, pluginEnd < 0 ? undefined : pluginEnd),
  };
}

function loginHead(flags: number): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(flags, 0);
  head.writeUInt32LE(PACKET_BYTES_MAX, 4);
  head[8] = UTF8MB4;
  return head;
}

const text = (value: string): Buffer => Buffer.from(`${value.replaceAll('\0', '')}\0`);

/** Names and values shorter than 251 bytes. */
function attributes(all: Readonly<Record<string, string>>): Buffer {
  const words = Object.entries(all).flat();
  const body = Buffer.concat(words.flatMap((word) => [Buffer.from([word.length]), Buffer.from(word)]));
  return Buffer.concat([Buffer.from([body.length]), body]);
}

/** Each packet carries its length and its number. */
class Packets {
  private next = 0;
  private readonly talk: Conversation;

  constructor(talk: Conversation) {
    this.talk = talk;
  }

  /** A command begins to count anew. */
  begin(): void {
    this.next = 0;
  }

  async read(question?: ServerQuestion): Promise<Buffer> {
    const head = await this.talk.read(4);
    const length = head.readUIntLE(0, 3);
    if (length === 0 || length > PACKET_BYTES_MAX) throw unexpected();
    this.next = ((head[3] ?? 0) + 1) & 0xff;
    const packet = await this.talk.read(length);
    if (packet[0] === 0xff) throw refusal(packet, question);
    return packet;
  }

  write(body: Buffer): void {
    const head = Buffer.alloc(4);
    head.writeUIntLE(body.length, 0, 3);
    head[3] = this.next++;
    this.talk.write(Buffer.concat([head, body]));
  }
}

function refusal(packet: Buffer, question: ServerQuestion | undefined): NoAnswer {
  if (packet.length < 3) return unexpected();
  const code = packet.readUInt16LE(1);
  switch (code) {
    case 1045:
    case 1698:
    case 1044:
      return question?.password === null
        ? new NoAnswer('login_missing', 'it asks for a password, and the service has none for it')
        : new NoAnswer('login_refused', code === 1044 ? 'its user may not use this database' : `it refused the login (${code})`);
    case 1049:
      return new NoAnswer('unknown_database', 'it has no database of this name');
    case 1040:
    case 1203:
      return new NoAnswer('not_ready', `it has no room for another connection (${code})`);
    case 1129:
    case 1130:
      return new NoAnswer('login_refused', `it takes no connection from this machine (${code})`);
    case 3159:
      return new NoAnswer('encryption', 'it takes no connection without encryption');
    default:
      return new NoAnswer('not_ready', `it answered with the error ${code}`);
  }
}

const unexpected = (): NoAnswer => new NoAnswer('other_protocol', 'it does not speak the protocol of MySQL');
