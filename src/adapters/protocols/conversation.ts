import { readFile } from 'node:fs/promises';
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { ServerQuestion } from '../../domains/preflight/index.ts';
import { NoAnswer, noAnswer } from './no-answer.ts';

/** A greeting, a login and two answers are a few kilobytes in every protocol. */
const BYTES_MAX = 64 * 1024;
const FIRST_BYTES = 64;

/**
 * One connection to a server that may do anything: bytes are counted, each wait ends with the signal, and nothing stays open.
 * Reading is by demand, so that a server that floods is held up by TCP after what the kernel buffers.
 */
export class Conversation {
  certificateEndsMs: number | null = null;
  /** The first bytes the server said in clear, to recognise it by. */
  first: Uint8Array = new Uint8Array();
  private socket: Socket;
  private unread: Buffer = Buffer.alloc(0);
  private received = 0;
  private isClosed = false;
  private failure: NoAnswer | null = null;
  private wake: (() => void) | null = null;
  private readonly question: ServerQuestion;
  private readonly signal: AbortSignal;

  private constructor(question: ServerQuestion, socket: Socket, signal: AbortSignal) {
    this.question = question;
    this.socket = socket;
    this.signal = signal;
    signal.addEventListener('abort', this.end, { once: true });
  }

  /** @throws NoAnswer */
  static async open(question: ServerQuestion, signal: AbortSignal): Promise<Conversation> {
    const { host, port } = question;
    const socket = host.startsWith('/') ? connectSocket({ path: host }) : connectSocket({ host, port });
    const conversation = new Conversation(question, socket, signal);
    await conversation.until(socket, 'connect', 'the connection got no answer');
    conversation.listen();
    return conversation;
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  /** Exactly `count` bytes. @throws NoAnswer */
  async read(count: number): Promise<Buffer> {
    if (count > BYTES_MAX) throw new NoAnswer('too_much', 'it announced more than any answer has');
    while (this.unread.length < count) await this.more();
    const bytes = this.unread.subarray(0, count);
    this.unread = this.unread.subarray(count);
    return bytes;
  }

  /** Up to and without CR LF. @throws NoAnswer */
  async readLine(): Promise<string> {
    for (let from = 0; ;) {
      const at = this.unread.indexOf('\r\n', from);
      if (at >= 0) {
        const line = this.unread.toString('utf8', 0, at);
        this.unread = this.unread.subarray(at + 2);
        return line;
      }
      from = Math.max(0, this.unread.length - 1);
      await this.more();
    }
  }

  /** Everything from here on is encrypted. @throws NoAnswer */
  async encrypt(): Promise<void> {
    const { host, verification, caFile, certFile, keyFile } = this.question;
    const options: ConnectionOptions = {
      socket: this.socket,
      rejectUnauthorized: verification !== 'none',
      ...(isIP(host) === 0 && !host.startsWith('/') ? { servername: host } : {}),
      checkServerIdentity: verification === 'name' ? (_, certificate) => checkServerIdentity(host, certificate) : () => undefined,
      ...(await pemOf('ca', caFile)),
      ...(await pemOf('cert', certFile)),
      ...(await pemOf('key', keyFile)),
    };
    // What came before the handshake was in clear, and nobody vouches for it.
    this.unread = Buffer.alloc(0);
    this.socket.removeAllListeners('readable').removeAllListeners('end').removeAllListeners('error');
    let secure: TLSSocket;
    try {
      secure = connectTls(options);
    } catch (error) {
      throw noAnswer(error);
    }
    this.socket.on('error', () => undefined);
    this.socket = secure;
    await this.until(secure, 'secureConnect', 'the encryption was begun and not finished');
    const ends = Date.parse(secure.getPeerCertificate().valid_to);
    this.certificateEndsMs = Number.isNaN(ends) ? null : ends;
    this.listen();
  }

  /** With a last word, where the protocol has one; it is not waited for, and ends with the signal. */
  close(goodbye?: Uint8Array | string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (goodbye !== undefined && this.socket.writable) {
      this.socket.end(goodbye, () => this.socket.destroy());
      this.socket.unref();
      return;
    }
    this.signal.removeEventListener('abort', this.end);
    this.socket.destroy();
  }

  private readonly end = (): void => {
    this.fail(new NoAnswer('timeout', this.received === 0 ? 'it was connected to and said nothing' : 'it did not finish its answer'));
    this.socket.destroy();
  };

  private fail(failure: NoAnswer): void {
    this.failure ??= failure;
    this.wake?.();
  }

  private listen(): void {
    this.socket.on('readable', () => this.wake?.());
    this.socket.on('end', () => this.fail(new NoAnswer('closed', 'it closed the connection')));
    this.socket.on('close', () => this.fail(new NoAnswer('closed', 'it closed the connection')));
    this.socket.on('error', (error) => this.fail(noAnswer(error)));
  }

  private async more(): Promise<void> {
    for (;;) {
      const chunk = this.socket.read() as Buffer | null;
      if (chunk !== null) {
        this.received += chunk.length;
        if (this.first.length < FIRST_BYTES) this.first = Buffer.concat([this.first, chunk.subarray(0, FIRST_BYTES)]);
        if (this.received > BYTES_MAX) throw new NoAnswer('too_much', `it sent more than ${BYTES_MAX / 1024} KiB, and was hung up on`);
        this.unread = Buffer.concat([this.unread, chunk]);
        return;
      }
      if (this.failure !== null) throw this.failure;
      await new Promise<void>((resolve) => (this.wake = resolve));
      this.wake = null;
    }
  }

  private until(socket: Socket, event: 'connect' | 'secureConnect', late: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        socket.destroy();
        reject(new NoAnswer('timeout', late));
      };
      if (this.signal.aborted) return abort();
      this.signal.addEventListener('abort', abort, { once: true });
      const done = (error?: unknown): void => {
        this.signal.removeEventListener('abort', abort);
        if (error === undefined) resolve();
        else {
          socket.destroy();
          reject(noAnswer(error));
        }
      };
      const closed = (): void => done(new NoAnswer('closed', 'it closed the connection'));
      socket.once('error', done).once('close', closed);
      socket.once(event, () => {
        socket.off('error', done).off('close', closed);
        done();
      });
    });
  }
}

async function pemOf(name: 'ca' | 'cert' | 'key', file: string | null): Promise<Partial<Record<typeof name, Buffer>>> {
  if (file === null) return {};
  try {
    return { [name]: await readFile(file) };
  } catch {
    throw new NoAnswer('encryption', `a certificate or key that its URL names cannot be read`);
  }
}
