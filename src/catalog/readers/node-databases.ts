import { refused } from './address.ts';
import { rule, type Reader } from './rule.ts';

/** What object-relational mappers of Node say in their own words, where they do not repeat those of the driver. */
export const nodeDatabases: Reader = {
  runtime: 'node',
  rules: [
    // Prisma
    rule(
      ["Can't reach database server at "],
      /Can't reach database server at `([\w.-]{1,253})`?:?`?(\d{1,5})?`?/,
      ([, host = '', port = '']) =>
        port === '' ? { kind: 'connection_refused', subject: host, code: 'P1001' } : { ...refused(`${host}:${port}`, 'P1001') },
    ),
    rule(
      ['Authentication failed against database server'],
      /Authentication failed against database server(?: at `[^`]{1,253}`)?, the provided database credentials for `?([^\s`]{1,63})`? are not valid/,
      ([, user = '']) => ({ kind: 'auth_failed', subject: user.replace(/[()]/g, ''), code: 'P1000', details: { engine: 'the database' } }),
    ),
    rule(
      ['does not exist on the database server'],
      /Database `?([\w.-]{1,63})`? does not exist on the database server/,
      ([, name = '']) => ({
        kind: 'database_missing',
        subject: name,
        code: 'P1003',
      }),
    ),
    rule(
      ['does not exist in the current database'],
      /The (table|column) `?([\w.$-]{1,128}|\(not available\))`? does not exist in the current database/,
      ([, object = '', name = '']) => ({
        kind: 'relation_missing',
        subject: name.startsWith('(') ? '' : name,
        code: object === 'table' ? 'P2021' : 'P2022',
        details: { object },
      }),
    ),

    // Nobody gave a connection back: other pools say it in words that `databases` knows.
    rule(['ConnectionAcquireTimeoutError'], /(?:Sequelize)?ConnectionAcquireTimeoutError/, () => ({
      kind: 'pool_exhausted',
      subject: 'sequelize',
      code: 'SequelizeConnectionAcquireTimeoutError',
    })),
    // Mongoose keeps what it is asked for until it is connected; it never was.
    rule(['buffering timed out after '], /Operation `([\w.$()]{1,120})` buffering timed out after/, ([, operation = '']) => ({
      kind: 'connection_refused',
      subject: '',
      code: 'buffering_timeout',
      details: { operation },
    })),
  ],
};
