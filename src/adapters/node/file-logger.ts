import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { JsonObject, Logger } from '../../kernel/index.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const ROTATE_BYTES = 10 * 1024 * 1024;

/** JSON lines in one file, with one older one beside it. Losing a log line never breaks what it is about. */
export function fileLogger(path: string, level: (typeof LEVELS)[number], redact: (fields: JsonObject) => JsonObject): Logger {
  const least = LEVELS.indexOf(level);
  let lines = 0;
  const write = (at: (typeof LEVELS)[number], message: string, fields: JsonObject = {}): void => {
    if (LEVELS.indexOf(at) < least) return;
    try {
      if (lines++ % 500 === 0) {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > ROTATE_BYTES) renameSync(path, `${path}.1`);
      }
      appendFileSync(path, `${JSON.stringify({ time: new Date().toISOString(), level: at, message, ...redact(fields) })}\n`, {
        mode: 0o640,
      });
    } catch {
      // a full disk must not take the service with it
    }
  };
  return {
    debug: (m, f) => write('debug', m, f),
    info: (m, f) => write('info', m, f),
    warn: (m, f) => write('warn', m, f),
    error: (m, f) => write('error', m, f),
  };
}
