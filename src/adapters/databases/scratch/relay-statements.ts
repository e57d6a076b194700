import { Transform, type TransformCallback } from 'node:stream';
import { reachesBeyond } from '../sql-reach.ts';

/** A longer statement is data. */
const STATEMENT_BYTES_MAX = 16 * 1024 * 1024;
/** Type and length. See "Message Formats" of PostgreSQL. */
const HEAD_BYTES = 5;
const [QUERY, PARSE, FUNCTION_CALL] = ['Q', 'P', 'F'].map((letter) => letter.charCodeAt(0)) as [number, number, number];

/**
 * What a client says to a server after its first message, let through message by message. A statement that reaches beyond its database
 * ends it: nothing of the message, and nothing after it, comes out.
 * @param refuse  told once, in plain words
 */
export function statementGate(refuse: (why: string) => void): Transform {
  let held: Buffer = Buffer.alloc(0);
  /** Of a message that is let through as it comes. */
  let passing = 0;
  let isShut = false;
  const shut = (why: string): void => {
    isShut = true;
    held = Buffer.alloc(0);
    refuse(why);
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback): void {
      if (isShut) return done();
      let rest = chunk;
      if (passing > 0) {
        const part = rest.subarray(0, passing);
        passing -= part.length;
        rest = rest.subarray(part.length);
        this.push(part);
      }
      held = held.length === 0 ? rest : Buffer.concat([held, rest]);
      while (held.length >= HEAD_BYTES) {
        const bytes = 1 + held.readUInt32BE(1);
        const isStatement = held[0] === QUERY || held[0] === PARSE;
        if (isStatement && held.length < bytes && bytes <= STATEMENT_BYTES_MAX) break;
        const why = whyNot(held, bytes);
        if (why !== null) {
          shut(why);
          break;
        }
        this.push(held.subarray(0, bytes));
        passing = Math.max(0, bytes - held.length);
        held = held.subarray(bytes);
      }
      done();
    },
  });
}

function whyNot(message: Buffer, bytes: number): string | null {
  const type = message[0];
  if (type === FUNCTION_CALL) return 'a call of a function by its number';
  if (bytes < HEAD_BYTES) return 'a message that makes no sense';
  if (type !== QUERY && type !== PARSE) return null;
  if (bytes > STATEMENT_BYTES_MAX) return 'a statement that is too long';
  const words = reachesBeyond(textOf(message.subarray(HEAD_BYTES, bytes), type === PARSE));
  return words === null ? null : `a statement that reaches beyond its database: ${words}`;
}

/** Each text ends with a zero; a statement that is prepared has its name before it. */
function textOf(body: Buffer, isNamed: boolean): string {
  const start = isNamed ? body.indexOf(0) + 1 : 0;
  const end = body.indexOf(0, start);
  return body.toString('utf8', start, end < 0 ? body.length : end);
}
