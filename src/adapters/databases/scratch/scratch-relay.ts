import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { PostgresTarget } from '../postgres-url.ts';
import { statementGate } from './relay-statements.ts';

/**
 * A door to one database of a PostgreSQL server. A tool that is given this door alone cannot reach another database: whoever
 * asks for one is turned away before a byte of it gets to the server.
 */
export interface ScratchRelay {
  readonly port: number;
  /**
   * The name of the scratch database at this door, and its key: any process of this machine can knock, and is then at the server as
   * Grace is. The real name is no secret, since every role of the server can list it.
   */
  readonly alias: string;
  /** Connections that went to the scratch database. */
  passed(): number;
  /** Names of other databases that were asked for. */
  refused(): readonly string[];
  /** Why a connection was ended: a statement that would have had an effect outside of the scratch database. */
  stopped(): string | null;
  close(): Promise<void>;
}

// The first message of a connection: length, code, and for 3.x names and values. See "Message Formats" of PostgreSQL.
const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const PROTOCOL_MAJOR = 3;
const FIRST_MESSAGE_BYTES_MAX = 10_000;
const CONNECT_MS = 5_000;
/** Up to three for each connection: of the tool, to the server, and its encryption. */
const SOCKETS_MAX = 96;

/** @param target  the scratch database itself */
export async function openRelay(target: PostgresTarget): Promise<ScratchRelay> {
  const alias = `s${randomBytes(16).toString('hex')}`;
  const sockets = new Set<Socket>();
  const refused = new Set<string>();
  let passed = 0;
  let stopped: string | null = null;
  let isClosed = false;
  const keep: Keep = (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy()); // either side may go at any time; the other is told by its end
    if (isClosed) socket.destroy();
    return socket;
  };
  const server = createServer({ noDelay: true }, (client) => {
    keep(client);
    if (sockets.size > SOCKETS_MAX) return void client.destroy();
    onFirstMessage(client, async (message) => {
      const database = databaseOf(message);
      if (database !== alias) {
        refused.add(database ?? '(none)');
        client.end(refusal('another database is behind this door'));
        return;
      }
      passed += 1;
      const upstream = await dial(target, keep);
      const gate = statementGate((why) => {
        stopped ??= why;
        upstream.unpipe(client);
        client.end(refusal(`not here: ${why}`), () => upstream.destroy());
      });
      client.once('close', () => upstream.destroy());
      upstream.once('close', () => client.destroy());
      if (client.destroyed) return void upstream.destroy();
      // What comes behind the startup message are statements already.
      const first = message.readInt32BE(0);
      upstream.write(renamed(message.subarray(0, first), target.database));
      gate.write(message.subarray(first));
      client.pipe(gate).pipe(upstream).pipe(client);
    });
  });
  const port = await listen(server);
  return {
    port,
    alias,
    passed: () => passed,
    refused: () => [...refused],
    stopped: () => stopped,
    async close() {
      isClosed = true;
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Answers requests for encryption with "no", and hands over the message that names the database, with the stream paused. */
function onFirstMessage(client: Socket, use: (message: Buffer) => Promise<void>): void {
  let seen = Buffer.alloc(0);
  const read = (chunk: Buffer): void => {
    seen = Buffer.concat([seen, chunk]);
    while (seen.length >= 8) {
      const length = seen.readInt32BE(0);
      if (length < 8 || length > FIRST_MESSAGE_BYTES_MAX) return void client.destroy();
      if (seen.length < length) return;
      const code = seen.readInt32BE(4);
      if (code === SSL_REQUEST || code === GSS_REQUEST) {
        seen = seen.subarray(length);
        client.write('N');
        continue;
      }
      // 80877102 asks to cancel a statement: nothing here takes that long.
      if (code >> 16 !== PROTOCOL_MAJOR) return void client.destroy();
      client.off('data', read);
      client.pause();
      const message = seen;
      use(message).catch(() => client.destroy());
      return;
    }
  };
  client.on('data', read);
}

/** Pairs of names and values, each ended by a zero. The bytes stay what they are: a name may be in any encoding. */
function parametersOf(message: Buffer): Map<string, string> {
  const words = message.toString('latin1', 8, message.readInt32BE(0)).split('\0');
  const parts = new Map<string, string>();
  for (let at = 0; at + 1 < words.length && words[at] !== ''; at += 2) parts.set(words[at]!, words[at + 1]!);
  return parts;
}

/** Without a database it is that of the user's name. */
function databaseOf(message: Buffer): string | null {
  const parts = parametersOf(message);
  const name = parts.get('database') ?? parts.get('user');
  return name === undefined ? null : Buffer.from(name, 'latin1').toString('utf8');
}

/** The message, and what follows it, with the name of the database that the server knows. */
function renamed(message: Buffer, database: string): Buffer {
  const parts = parametersOf(message).set('database', Buffer.from(database).toString('latin1'));
  const body = Buffer.from(`${[...parts].map(([name, value]) => `${name}\0${value}\0`).join('')}\0`, 'latin1');
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  message.copy(head, 4, 4, 8); // the version
  return Buffer.concat([head, body, message.subarray(message.readInt32BE(0))]);
}

/** An ErrorResponse: `S`everity, `C`ode (invalid_catalog_name), `M`essage. */
function refusal(message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C3D000\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

/** Sees to a socket from its first moment on: an `error` that nobody listens to would end Grace. */
type Keep = <S extends Socket>(socket: S) => S;

async function dial(target: PostgresTarget, keep: Keep): Promise<Socket> {
  const isLocal = target.host.startsWith('/');
  const mode = isLocal ? 'disable' : (target.sslMode ?? 'disable');
  const isPlain = mode === 'disable' || mode === 'allow';
  // Before there is a connection: nothing is waited for between two answers of the server. Whether they are needed is known later.
  const files = isPlain ? [] : await Promise.allSettled([target.sslRootCert, target.sslCert, target.sslKey].map(readOptional));
  const socket = keep(
    isLocal
      ? connect({ path: `${target.host}/.s.PGSQL.${target.port}` })
      : connect({ host: target.host, port: target.port, noDelay: true }),
  );
  try {
    await once(socket, 'connect');
    if (isPlain) return socket;
    const request = Buffer.alloc(8);
    request.writeInt32BE(8, 0);
    request.writeInt32BE(SSL_REQUEST, 4);
    socket.write(request);
    const [answer] = await once<[Buffer]>(socket, 'data');
    // Whatever follows it was not encrypted, and would be taken for what is.
    if (answer.length !== 1) throw new Error('more than an answer');
    if (answer.toString('latin1') !== 'S') {
      if (mode === 'prefer') return socket;
      throw new Error('the server has no TLS');
    }
    const [ca, cert, key] = files.map(contentOf);
    const secure = keep(
      connectTls({
        socket,
        servername: /^[\d.:]+$/.test(target.host) ? '' : target.host,
        rejectUnauthorized: mode === 'verify-full' || mode === 'verify-ca',
        ...(mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
        ...(ca == null ? {} : { ca }),
        ...(cert == null ? {} : { cert }),
        ...(key == null ? {} : { key }),
      }),
    );
    await once(secure, 'secureConnect');
    return secure;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function readOptional(path: string | null): Promise<Buffer | null> {
  return path === null || path === 'system' ? Promise.resolve(null) : readFile(path);
}

function contentOf(read: PromiseSettledResult<Buffer | null>): Buffer | null {
  if (read.status === 'rejected') throw read.reason;
  return read.value;
}

function once<T extends readonly unknown[]>(socket: Socket, event: string): Promise<T> {
  return new Promise((resolve, reject) => {
    if (socket.destroyed) return reject(new Error('closed')); // no event will come any more
    const timer = setTimeout(() => socket.destroy(new Error('no answer in time')), CONNECT_MS);
    const end = (error?: Error): void => reject(error ?? new Error('closed'));
    socket.once('error', end).once('close', end);
    socket.once(event, (...values) => {
      clearTimeout(timer);
      socket.off('error', end).off('close', end);
      resolve(values as unknown as T);
    });
    socket.once('close', () => clearTimeout(timer));
  });
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
