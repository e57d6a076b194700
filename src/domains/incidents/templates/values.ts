// What a piece of text says about itself: that it is a place, a host, a unit, one of two, or nothing.

/** One of two: says what happened. */
export const isFlag = (text: string): boolean => /^(?:true|false|yes|no|on|off|enabled|disabled)$/i.test(text);

/** Said where there is no value. */
export const isNothing = (text: string): boolean => /^(?:null|nil|none|undefined|nan|n\/a)$/i.test(text);

/** A path, a URL; also `conf/app.yaml`, but not `read/write`. */
export function isLocation(text: string): boolean {
  if (text.length > 1 && /^(?:\/|\.\.?\/|~\/|[A-Za-z]:\\)/.test(text)) return true;
  return text.includes('://') || text.split('/', 4).length > 3 || /\/[\w-]{1,100}\.[a-z]\w{0,4}$/.test(text);
}

/** In structured logs, the key of what the program says. */
export const isMessageKey = (text: string | undefined): boolean => text === 'msg' || text === 'message';

export const isHttpMethod = (text: string | undefined): boolean => text !== undefined && METHOD.test(text);
const METHOD = /^(?:GET|POST|PUT|DELETE|HEAD|PATCH|OPTIONS)$/;

export function isMailAddress(text: string): boolean {
  const at = text.indexOf('@');
  return at > 0 && at === text.lastIndexOf('@') && text.includes('.', at + 2);
}

/** A host by its last parts. Other dotted names may be anything. */
export const isHostName = (text: string): boolean => HOST.test(text) && !PACKAGE.test(text);
const HOST =
  /^[a-z][a-z-]*(?:\.[a-z-]+){1,20}\.(?:com|net|org|edu|gov|mil|info|biz|local|localdomain|arpa|(?:com?|net|org|edu|ac|gov)\.[a-z]{2})$/;
/** Packages turn the order of a host name round. */
const PACKAGE = /^(?:com|org|net|edu|io|java|javax|sun|android|de)\./;

/** Sizes and durations are printed in whatever unit suits the value. */
export const isUnit = (text: string | undefined): boolean => text !== undefined && UNIT.test(text);
const UNIT = /^(?:[kKMGTPE]i?[bB]|B|bytes?|ns|us|µs|ms|msecs?|s|secs?|seconds?|mins?|minutes?|h|hrs?|hours?|days?|%)$/;

/** A number alone, as it looks in a shape. */
export const isNumber = (text: string): boolean => /^[+-]?0(?:[.,]0){0,8}$/.test(text);
