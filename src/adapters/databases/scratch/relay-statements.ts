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
      while (!isShut && held.length >= HEAD_BYTES) {
        const [type, bytes] = [held[0], 1 + held.readUInt32BE(1)];
        const isStatement = type === QUERY || type === PARSE;
        if (type === FUNCTION_CALL) shut('a call of a function by its number');
        else if (bytes < HEAD_BYTES || (isStatement && bytes > STATEMENT_BYTES_MAX)) shut('a statement that is too long');
        else if (isStatement && held.length < bytes) break;
        else {
          const words = isStatement ? reachesBeyond(textOf(held.subarray(HEAD_BYTES, bytes), type === PARSE)) : null;
          if (words !== null) shut(`a statement that reaches beyond its database: ${words}`);
          else {
            this.push(held.subarray(0, bytes));
            passing = Math.max(0, bytes - held.length);
            held = held.subarray(bytes);
          }
        }
      }
      done();
    },
  });
}

/** Each text ends with a zero; a statement that is prepared has its name before it. */
function textOf(body: Buffer, isNamed: boolean): string {
  const start = isNamed ? body.indexOf(0) + 1 : 0;
  const end = body.indexOf(0, start);
  return body.toString('utf8', start, end < 0 ? body.length : end);
}
