import { join } from 'node:path';
import { factsOf, type CaseFile, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { AFTER_VARIABLES, diagnosis, LIKELY, SURE, text } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { driftAt, isOwn, shownPath } from './places.ts';
import { careFor, restoring } from './restore.ts';

/** What a driver is called where it is installed from. */
const DISTRIBUTION: Readonly<Record<string, string>> = {
  MySQLdb: 'mysqlclient',
  psycopg2: 'psycopg2-binary, or psycopg2 with libpq',
  psycopg: 'psycopg[binary]',
  cx_Oracle: 'oracledb',
  pg: 'the gem pg',
  mysql2: 'the gem mysql2',
  sqlite3: 'the gem sqlite3',
};
/** The usual names of what SQLAlchemy and others call otherwise. */
const DIALECT: Readonly<Record<string, string>> = {
  postgres: 'postgresql',
  pg: 'postgresql',
  mariadb: 'mariadb+pymysql',
  sqlite3: 'sqlite',
};
const PHP_DRIVER: readonly (readonly [RegExp, string])[] = [
  [/mysql|mariadb/i, 'php-mysql'],
  [/pgsql|postgres/i, 'php-pgsql'],
  [/sqlite/i, 'php-sqlite3'],
  [/sqlsrv|dblib|mssql/i, 'php-sybase, or the driver of Microsoft'],
];
/** There is no driver for the database that it is told to use: not installed, or the address names the wrong one. */
export const driverMissing: FailureFamily = {
  name: 'driver_missing',
  title: 'the driver of its database is not installed',
  async diagnose(c) {
    const [fact] = factsOf(c, 'driver_missing');
    if (fact === undefined) return [];
    const { missing } = await c.host.packages(c.component.cwd);
    if (missing.length > 0) return []; // its own lock file asks for what is missing
    const changed = ['config/database.yml', 'Gemfile']
      .map((name) => join(c.component.cwd, name))
      .find((path) => fact.runtime === 'ruby' && driftAt(c, path, 'changed')?.canRestore === true && isOwn(c.component, path));
    const drift = changed === undefined ? null : driftAt(c, changed, 'changed');
    const { cause, advice } = explain(c, fact);
    const hasOtherValues = c.drift.some((d) => d.kind === 'env_key_changed');
    return [
      diagnosis('driver_missing', {
        cause: changed === undefined ? cause : `${cause}; ${shownPath(c.component, changed)} changed since the last good boot`,
        // The variable may name another database than the one there is a driver for.
        confidence: changed !== undefined ? SURE : hasOtherValues ? AFTER_VARIABLES : LIKELY,
        evidence: [fact.line, drift?.message ?? ''],
        remedy: changed === undefined ? null : restoring(c, changed, careFor(changed, drift)),
        advice,
      }),
    ];
  },
  guard: (g) => guardOfSteps('driver_missing', g),
};

function explain(c: CaseFile, fact: Fact): { readonly cause: string; readonly advice: readonly string[] } {
  if (text(fact, 'reason') === 'dialect') {
    const right = DIALECT[fact.subject];
    return {
      cause: `no driver is called ${fact.subject}${right === undefined ? '' : `: the address of the database has to begin with ${right}://`}`,
      advice: [
        right === undefined
          ? `install the package that offers ${fact.subject}`
          : `write ${right}:// instead of ${fact.subject}:// in the address of the database`,
      ],
    };
  }
  if (fact.runtime === 'php') {
    const wanted = `${fact.subject} ${c.env['DB_CONNECTION'] ?? ''} ${/^\w+/.exec(c.env['DATABASE_URL'] ?? '')?.[0] ?? ''}`;
    const known = PHP_DRIVER.find(([pattern]) => pattern.test(wanted))?.[1];
    return {
      cause: `PHP has no driver for the database${known === undefined ? '' : ` (${wanted.trim().split(' ')[0] ?? ''})`}`,
      advice: [
        known === undefined
          ? 'install the driver: php-mysql, php-pgsql or php-sqlite3 (Debian, Ubuntu); php -m shows what there is'
          : `install ${known} (Debian, Ubuntu)`,
      ],
    };
  }
  const name = DISTRIBUTION[fact.subject] ?? fact.subject;
  return {
    cause: `the driver ${fact.subject} of its database is not installed`,
    advice: [
      `add ${name} to the dependencies of ${c.component.name} and install it`,
      'or correct the setting that names the kind of database',
    ],
  };
}
