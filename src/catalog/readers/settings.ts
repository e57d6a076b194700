import { after, lineAt, named, rule, type Draft, type Reader } from './rule.ts';

/** Values that a runtime or a library refuses, where nothing says which setting they came from. */
export const settings: Reader = {
  runtime: 'node',
  rules: [
    rule(['Invalid URL'], /TypeError(?: \[ERR_INVALID_URL\])?: Invalid URL/, (_, place) =>
      refused('ERR_INVALID_URL', after(place, 16, /^\s{1,6}input: ['"](.{1,200}?)['"],?$/)?.[1] ?? ''),
    ),
    rule(
      ['ERR_SOCKET_BAD_PORT'],
      /RangeError \[ERR_SOCKET_BAD_PORT\]: (?:options\.)?port should be >= 0 and < 65536\. Received type (?:string \('([^']{0,80})'\)|\w{1,10} \((-?[\w.]{1,40})\))/,
      ([, text = '', number = '']) => refused('ERR_SOCKET_BAD_PORT', text || (number === 'NaN' ? '' : number)),
    ),
    // Nothing more is said by the fields below them.
    rule(["code: 'ERR_INVALID_URL'", "code: 'ERR_SOCKET_BAD_PORT'"], /^\s{1,8}code: 'ERR_/, () => []),
    // Joi names all of them on one line.
    rule(['" must be ', '" must match ', '" contains an invalid value'], /" must (?:be|match) .{1,400}" must (?:be|match) /, (_, place) => {
      const text = lineAt(place, 0);
      if (text.includes('" is required')) return null;
      return [...text.matchAll(/"([A-Z][A-Z0-9_]{1,80})" must ((?:be|match) [^".]{1,80})/g)]
        .slice(0, 20)
        .map(([, key = '', reason = '']) => ({
          kind: 'config_invalid',
          subject: key,
          code: 'validation',
          details: { key, reason: `must ${reason}`.trim() },
        }));
    }),
    // convict: `port: ports must be within range 0 - 65535`, `env: must be one of the possible values: [...]: value was "x"`
    rule(
      ['must be one of the possible values: [', 'ports must be within range', ': should be of type '],
      /^(?:Error: )?([\w.]{1,80}): ((?:must be one of the possible values|ports must be within range|should be of type).{0,160}?)(?:: value was .{0,200})?$/,
      ([, key = '', reason = '']) => ({ kind: 'config_invalid', subject: key, code: 'validation', details: { key, reason } }),
    ),
  ],
};

function refused(code: string, value: string): Draft {
  return { kind: 'config_invalid', subject: '', code, details: named({ key: code === 'ERR_INVALID_URL' ? 'url' : 'port', value }) };
}
