import { rule, type Reader } from './rule.ts';

const engine = { engine: 'mongodb' } as const;

/** What MongoDB says through its drivers, and what mongod logs when it does not start. */
export const mongodb: Reader = {
  runtime: 'mongodb',
  rules: [
    rule(
      [
        'ServerSelectionTimeoutError',
        'ServerSelectionError',
        'ReplicaSetNoPrimary',
        'MongooseServerSelectionError',
        'No primary',
        'NotWritablePrimary',
        'NotPrimaryNoSecondaryOk',
        'not master',
      ],
      /topology_type: ReplicaSetNoPrimary|type: '?ReplicaSetNoPrimary|ReplicaSetNoPrimary\b|NotWritablePrimary|NotPrimaryNoSecondaryOk|No primary (?:server )?available/,
      ([text], place) =>
        // Nobody there at all is not a cluster without a head.
        /refused|ECONNREFUSED/.test(place.lines[place.at]?.text ?? '')
          ? null
          : { kind: 'no_quorum', subject: 'mongodb', code: text, details: { ...engine, lacks: 'primary' } },
    ),
    rule(
      ['ServerSelection', 'MongoServerSelectionError', 'MongoNetworkError', 'No servers'],
      /(?:ServerSelectionTimeoutError|Mongo\w{0,8}ServerSelectionError|MongoNetworkError|MongoTimeoutException).{0,120}?(?<![\w.-])((?:\[[0-9a-f:]{2,40}\]|[\w.-]{1,253}):(\d{2,5}))/,
      ([text, address = '', port = '']) => {
        const host = address.slice(0, -port.length - 1).replace(/^\[|\]$/g, '');
        return /ENOTFOUND|not known|name resolution/.test(text)
          ? { kind: 'host_unresolved', subject: host, code: 'ENOTFOUND', details: engine }
          : {
              kind: 'connection_refused',
              subject: `${host}:${port}`,
              code: 'ServerSelection',
              details: { ...engine, host, port: Number(port) },
            };
      },
    ),
    rule(
      ['Authentication failed', 'AuthenticationFailed', 'bad auth'],
      /\bcode(?:'|")?: ?18\b|AuthenticationFailed|bad auth : |MongoServerError: Authentication failed/,
      () => ({
        kind: 'auth_failed',
        code: 'AuthenticationFailed',
        details: engine,
      }),
    ),
    rule(
      ['not authorized on ', 'requires authentication'],
      /not authorized on ([\w.-]{1,128}) to execute command|(?:command \w{1,40} )requires authentication/,
      ([, database = '']) =>
        database === ''
          ? { kind: 'auth_failed', code: 'Unauthorized', details: { ...engine, reason: 'no password' } }
          : { kind: 'rights_missing', subject: database, code: 'Unauthorized', details: { ...engine, object: 'database' } },
    ),
    rule(['featureCompatibilityVersion'], /[Ii]nvalid feature ?[Cc]ompatibility ?[Vv]ersion/, (_, place) => ({
      kind: 'data_version_mismatch',
      subject: `mongodb ${/version: "(\d{1,2}\.\d{1,2})"/.exec(place.lines[place.at]?.text ?? '')?.[1] ?? ''}`.trim(),
      code: 'featureCompatibilityVersion',
      details: engine,
    })),
    rule(
      ['wire version'],
      /(?:reports (?:maximum )?wire version (\d{1,3}), but this version of [\w.-]{1,40} requires at least (\d{1,3}))/,
      ([, has = '', wants = '']) => ({
        kind: 'driver_incompatible',
        subject: `wire version ${has}, and it wants ${wants}`,
        code: 'wire_version',
        details: { ...engine, has, wants },
      }),
    ),
    rule(
      ['IndexOptionsConflict', 'IndexKeySpecsConflict', 'already exists with different options'],
      /[Ii]ndex(?: with name:? ([\w.$-]{1,128}))? already exists with (?:a )?different (?:options|name)|IndexOptionsConflict|IndexKeySpecsConflict/,
      ([, name = '']) => ({
        kind: 'declaration_conflict',
        subject: name === '' ? 'an index' : `the index ${name}`,
        code: 'IndexOptionsConflict',
        details: { ...engine, argument: 'definition' },
      }),
    ),
    rule(
      ['DBPathInUse', 'Unable to lock the lock file', 'Unable to create/open the lock file'],
      /DBPathInUse|Unable to (?:lock|create\/open) the lock file/,
      (_, place) => ({
        kind: 'lock_held',
        subject: /the lock file: (\/[^\s"(]{1,300})/.exec(place.lines[place.at]?.text ?? '')?.[1] ?? '',
        code: 'DBPathInUse',
        details: engine,
      }),
    ),
    rule(
      ['WT_PANIC', 'WiredTiger.turtle', 'WiredTiger metadata corruption', 'unable to read root page'],
      /WT_PANIC|WiredTiger\.turtle|WiredTiger metadata corruption|unable to read root page/,
      () => ({
        kind: 'data_corrupt',
        code: 'wiredtiger',
        details: engine,
      }),
    ),
  ],
};
