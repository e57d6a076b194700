import { named, rule, type Reader } from './rule.ts';

const engine = { engine: 'rabbitmq' } as const;

/** What RabbitMQ says through its clients (in the words of AMQP), and when it does not start. */
export const rabbitmq: Reader = {
  runtime: 'rabbitmq',
  rules: [
    rule(
      ['PRECONDITION_FAILED', 'precondition_failed'],
      /(?:PRECONDITION_FAILED - |precondition_failed: )inequivalent arg '([\w-]{1,60})' for (queue|exchange) '([^']{1,200})' in vhost '([^']{1,200})'/,
      ([, argument = '', what = '', name = '', vhost = '']) => ({
        kind: 'declaration_conflict',
        subject: `the ${what} ${name}`,
        code: '406',
        details: { ...engine, argument, vhost },
      }),
    ),
    rule(
      ['NOT_FOUND - no ', 'not_found: no '],
      /(?:NOT_FOUND - |not_found: )no (queue|exchange) '([^']{1,200})' in vhost '([^']{1,200})'/,
      ([, what = '', name = '', vhost = '']) => ({
        kind: 'queue_missing',
        subject: `the ${what} ${name}`,
        code: '404',
        details: { ...engine, vhost },
      }),
    ),
    rule(['RESOURCE_LOCKED'], /RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '([^']{1,200})'/, ([, queue = '']) => ({
      kind: 'lock_held',
      subject: queue,
      code: '405',
      details: { ...engine, exclusive: true },
    })),
    rule(
      ['ACCESS_REFUSED', 'access_refused', 'NOT_ALLOWED - '],
      /ACCESS_REFUSED - (Login was refused)|(?:ACCESS_REFUSED|access_refused).{0,40}(?:access to|queue|exchange) (?:(?:queue|exchange|vhost) )?'([^']{1,200})'.{0,60}refused for user '([^']{1,128})'|NOT_ALLOWED - (?:vhost|access to vhost) '?([^\s']{1,200})'?(?: not found| refused)/,
      ([text, login, object = '', user = '', vhost = '']) => {
        if (login !== undefined) return { kind: 'auth_failed', code: '403', details: engine };
        if (vhost !== '' && text.includes('not found'))
          return { kind: 'database_missing', subject: vhost, code: '530', details: { ...engine, object: 'vhost' } };
        return {
          kind: 'rights_missing',
          subject: object || vhost,
          code: '403',
          details: named({ ...engine, user, object: vhost === '' ? undefined : 'vhost' }),
        };
      },
    ),
    rule(
      ['resource limit alarm set', 'Connection blocked', 'ConnectionBlockedTimeout', 'Publishers will be blocked'],
      /(memory|disk) resource limit alarm set|ConnectionBlockedTimeout|[Cc]onnection (?:is )?blocked(?: by broker)?: ?(?:low on (memory|disk))?/,
      ([, alarm = '', low = '']) => ({
        kind: 'server_full',
        subject: 'rabbitmq',
        code: 'alarm',
        details: named({ ...engine, resource: alarm || low }),
      }),
    ),
    rule(
      ['attempted to set unknown variable', 'tried to set '],
      /(?:attempted to set unknown variable: |tried to set )([\w.$-]{1,100})/,
      ([, key = '']) => ({ kind: 'config_invalid', subject: key, code: 'unknown_variable', details: { ...engine, key } }),
    ),
    rule(
      ['could not bind to distribution port', 'already running on'],
      /could not bind to distribution port (\d{2,5}), it is in use by another node/,
      ([, port = '']) => ({ kind: 'port_in_use', subject: port, code: 'EADDRINUSE', details: engine }),
    ),
    rule(['Cookie file '], /Cookie file (\/[^\s]{1,300}) must be accessible by owner only/, ([, path = '']) => ({
      kind: 'permission_denied',
      subject: path,
      code: 'wrong_mode',
      details: { ...engine, reason: 'mode' },
    })),
    rule(
      ['Erlang cookie', 'erlang cookie'],
      /Authentication failed \(rejected by the remote node\)|[Ii]nvalid challenge reply|Connection attempt from node .{1,200} rejected.{0,40}cookie/,
      () => ({ kind: 'auth_failed', code: 'erlang_cookie', details: engine }),
    ),
    rule(
      ['timeout_waiting_for_tables', 'Timeout contacting cluster nodes', 'Mnesia tables'],
      /timeout_waiting_for_tables|Timeout contacting cluster nodes|Timeout waiting for Mnesia tables/,
      () => ({
        kind: 'no_quorum',
        subject: 'rabbitmq',
        code: 'timeout_waiting_for_tables',
        details: { ...engine, lacks: 'the member that stopped last' },
      }),
    ),
  ],
};
