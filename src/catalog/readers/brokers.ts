import { before, rule, type Reader } from './rule.ts';

/** What NATS and mosquitto say. */
export const brokers: Reader = {
  runtime: 'nats',
  rules: [
    rule(['nats-server: '], /^nats-server: ([^\s:]{1,300}):(\d{1,7}):\d{1,5}: (.{1,200})$/, ([, path = '', line = '', reason = '']) => ({
      kind: 'config_invalid',
      subject: path,
      code: 'nats_config',
      details: { line: Number(line), key: /unknown field "([^"]{1,100})"/.exec(reason)?.[1] ?? '', reason },
    })),
    rule(
      ['nats: '],
      /\bnats: (no servers available for connection|Authorization Violation|Permissions Violation|stream not found|stream name already in use|insufficient resources|maximum messages exceeded)/,
      ([, what = '']) => {
        if (what.startsWith('Author')) return { kind: 'auth_failed', code: 'Authorization Violation', details: { engine: 'nats' } };
        if (what.startsWith('Perm')) return { kind: 'rights_missing', code: 'Permissions Violation', details: { engine: 'nats' } };
        if (what === 'stream not found')
          return { kind: 'queue_missing', subject: 'the stream', code: '10059', details: { engine: 'nats' } };
        if (what.startsWith('stream name'))
          return {
            kind: 'declaration_conflict',
            subject: 'the stream',
            code: '10058',
            details: { engine: 'nats', argument: 'configuration' },
          };
        if (what.startsWith('no servers')) return { kind: 'connection_refused', code: 'no servers', details: { engine: 'nats' } };
        return { kind: 'server_full', subject: 'nats', code: what, details: { engine: 'nats', resource: 'disk' } };
      },
    ),
    rule(
      ['JetStream'],
      /JetStream (?:cluster not ready|system temporarily unavailable|not in a healthy state)|no (?:quorum|meta leader)/,
      () => ({
        kind: 'no_quorum',
        subject: 'nats',
        code: 'JetStream',
        details: { engine: 'nats' },
      }),
    ),
    rule(['Unknown configuration variable "'], /Error: Unknown configuration variable "([^"]{1,100})"/, ([, key = ''], place) => {
      const where = /Error found at ([^\s:]{1,300}):(\d{1,7})/.exec(place.lines[place.at + 1]?.text ?? '');
      return {
        kind: 'config_invalid',
        subject: where?.[1] ?? key,
        code: 'unknown_variable',
        details: { key, line: Number(where?.[2] ?? 0) },
        runtime: 'mosquitto',
      };
    }),
    rule(['Error: Address already in use'], /^\d{9,11}: Error: Address already in use/, (_, place) => ({
      kind: 'port_in_use',
      subject: before(place, 3, /listen socket on port (\d{1,5})/)?.[1] ?? '',
      code: 'EADDRINUSE',
      runtime: 'mosquitto',
    })),
    rule(
      ['Unable to open pwfile', 'Unable to open config file', 'Unable to open acl_file'],
      /Unable to open (?:pwfile|config file|acl_file) "?([^"\s]{1,300}?)"?\.?$/,
      ([, path = '']) => ({
        kind: 'path_missing',
        subject: path,
        code: 'ENOENT',
        runtime: 'mosquitto',
      }),
    ),
  ],
};
