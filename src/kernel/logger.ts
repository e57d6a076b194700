import type { JsonObject } from './json.ts';

/** Grace's own log: for the person who debugs Grace, not for the person who watches a boot. */
export interface Logger {
  debug(message: string, fields?: JsonObject): void;
  info(message: string, fields?: JsonObject): void;
  warn(message: string, fields?: JsonObject): void;
  error(message: string, fields?: JsonObject): void;
}
