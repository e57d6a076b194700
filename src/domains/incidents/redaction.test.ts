import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSecretName, REDACTED, Redactor } from './redaction.ts';

const redact = (text: string): string => new Redactor().redact(text);

function knowing(...values: readonly string[]): Redactor {
  const redactor = new Redactor();
  redactor.learn(values);
  return redactor;
}

describe('secret names', () => {
  test.each([
    'PASSWORD', 'DB_PASSWORD', 'db.password', 'PGPASSWORD', 'DB_PASS', 'DB_PWD', 'SESSION_SECRET', 'API_KEY', 'STRIPE_APIKEY', 'NPM_TOKEN', 'GITHUB_TOKEN',
    'AWS_SECRET_ACCESS_KEY', 'PRIVATE_KEY', 'JWT_SIGNING_KEY', 'ENCRYPTION_KEY', 'SENTRY_DSN', 'SLACK_WEBHOOK', 'COOKIE', 'BASIC_AUTH', 'dbPassword', 'clientSecret',
    'PASSWORD_SALT', 'SSL_PASSPHRASE', 'CREDENTIALS', 'x-api-key',
  ])('%s is one', (name) => {
    expect(isSecretName(name)).toBe(true);
  }); // prettier-ignore

  test.each([
    'PWD',
    'OLDPWD',
    'PATH',
    'PORT',
    'NODE_ENV',
    'AUTHOR',
    'KEYBOARD',
    'MONKEY',
    'COMPASS',
    'SSH_AUTH_SOCK',
    'TOKENIZER_MODEL',
    'DATABASE_URL',
    'HOME',
    'PASSENGERS',
    'SALTED',
  ])('%s is none', (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

describe('shapes that are secrets wherever they stand', () => {
  test.each([
    ['a bearer token', 'Authorization: Bearer abcDEF123456.xyz', 'abcDEF123456'],
    ['basic credentials', 'Authorization: Basic dXNlcjpwYXNzd29yZA==', 'dXNlcjpwYXNz'],
    ['a JSON web token', 'got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4 back', 'SflKxwRJSMeKKF2QT4'],
    ['an AWS key id', 'key AKIAIOSFODNN7EXAMPLE is unknown', 'AKIAIOSFODNN7EXAMPLE'],
    ['a GitHub token', ['remote: ghp', '0123456789abcdefghijABCDEFGHIJ012345'].join('_'), 'ghp_0123'],
    ['a fine-grained GitHub token', 'github_pat_11ABCDEFG0123456789_abcdefghij', '11ABCDEFG'],
    ['a GitLab token', 'glpat-ABCdef_1234567890xyz', 'ABCdef_1234567890'],
    ['an npm token', 'npm_0123456789abcdefghijABCDEFGHIJ012345', '0123456789abcdefghij'],
    ['a Slack token', ['xoxb', '123456789012-abcdefGHIJ'].join('-'), 'abcdefGHIJ'],
    ['a Stripe key', ['sk', 'live', '0123456789abcdefghijABCD'].join('_'), '0123456789abcdefghijABCD'],
    ['a model provider key', 'sk-proj-0123456789_abcdefghij', '0123456789_abcdefghij'],
    ['a Google key', ['AIzaSyA', '1234567890abcdefghijklmnopqrstuv'].join('-'), 'SyA-1234567890'],
    ['a password after a name', 'password=hunter2!', 'hunter2!'],
    ['a password in JSON', '{"db_password": "hunter2!", "port": 1}', 'hunter2!'],
    ['a quoted password with spaces around the colon', "api_key : 'abc123xyz'", 'abc123xyz'],
    ['a secret in a query string', 'GET /cb?client_secret=s3cr3tvalue&x=1', 's3cr3tvalue'],
  ])('%s', (_what, text, secret) => {
    expect(text).toContain(secret);
    const clean = redact(text);
    expect(clean).not.toContain(secret);
    expect(clean).toContain(REDACTED);
  });

  test('the password inside a URL goes, user and host stay: they are often the fix', () => {
    expect(redact('cannot reach postgres://app:s3cr3t@db:5432/shop')).toBe('cannot reach postgres://app:[redacted]@db:5432/shop');
    expect(redact('redis://:onlypass@cache:6379')).toBe('redis://:[redacted]@cache:6379');
  });

  test('the rest of a line with a secret in it stays readable', () => {
    expect(redact('connect with password=hunter2!, port=5432')).toBe('connect with password=[redacted], port=5432');
  });

  const BODY = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC+/'.repeat(30);
  const BLOCK = BODY.replace(/(.{64})/g, '$1\n');

  test.each(['', 'RSA ', 'EC ', 'OPENSSH ', 'ENCRYPTED '])('a whole %sprivate key', (kind) => {
    const clean = redact(`before\n-----BEGIN ${kind}PRIVATE KEY-----\n${BLOCK}\n-----END ${kind}PRIVATE KEY-----\nafter`);
    expect(clean).toBe(`before\n${REDACTED}\nafter`);
  });

  test('a private key that was cut off before its end, at the end of the text', () => {
    expect(redact(`-----BEGIN PRIVATE KEY-----\n${BLOCK}`)).toBe(REDACTED);
  });

  test('a private key without an end, with a long output behind it', () => {
    const clean = redact(`-----BEGIN PRIVATE KEY-----\n${BLOCK}\n${'error: the rest of the log.\n'.repeat(1000)}`);
    expect(clean).not.toContain('MIIEvQIBADANBgkqhkiG9w0BAQEFAASC');
    expect(clean).toContain('the rest of the log.');
  });

  test('a private key that is longer than most', () => {
    const clean = redact(`a\n-----BEGIN PRIVATE KEY-----\n${BLOCK.repeat(9)}\n-----END PRIVATE KEY-----\nb`);
    expect(clean).not.toContain('MIIEvQIBADANBgkqhkiG9w0BAQEFAASC');
  });

  test('a certificate is no secret', () => {
    const text = `-----BEGIN CERTIFICATE-----\n${BLOCK}\n-----END CERTIFICATE-----`;
    expect(redact(text)).toBe(text);
  });
});

describe('values it was told of', () => {
  const secret = 'p@ss "wörd"/+=\\1';

  test('are found raw, JSON-escaped, URL-encoded and in base64', () => {
    const redactor = knowing(secret);
    for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), Buffer.from(secret).toString('base64')])
      expect(redactor.redact(`<<${form}>>`)).toBe(`<<${REDACTED}>>`);
  });

  test('the longer of two that begin alike goes whole', () => {
    expect(knowing('hunter2', 'hunter2-admin').redact('use hunter2-admin')).toBe(`use ${REDACTED}`);
  });

  test('each line of a value with several lines is known by itself', () => {
    const redactor = knowing('-----BEGIN X-----\nfirstlineofthekeybody\nsecondlineofthekeybody\n-----END X-----');
    expect(redactor.redact('bad line: secondlineofthekeybody')).toBe(`bad line: ${REDACTED}`);
  });

  test('short and harmless values are not looked for: they would hide ordinary words', () => {
    const text = 'password authentication failed for user "postgres" in production: true; .env has secrets in it';
    expect(knowing('user', 'true', 'production', 'postgres', 'password', 'secret').redact(text)).toBe(text);
    expect(knowing('12345').redact('port 12345')).toBe('port 12345');
    expect(knowing('123456').redact('port 123456')).toBe(`port ${REDACTED}`);
  });

  test('a value that no encoding can hold is still looked for as it is', () => {
    expect(knowing('\uD800broken-half').redact('x \uD800broken-half')).toBe(`x ${REDACTED}`);
  });

  test('an environment gives its secret-named values, and passwords in URLs of any name', () => {
    const redactor = new Redactor();
    redactor.learnEnvironment({
      DB_PASSWORD: 'tops3cret',
      SERVICE_URL: 'amqp://u:p%40ssw0rd@mq/',
      PWD: '/srv/application',
      EMPTY_TOKEN: '',
      NONE: undefined,
    });
    expect(redactor.redact('tops3cret p%40ssw0rd p@ssw0rd /srv/application')).toBe(`${REDACTED} ${REDACTED} ${REDACTED} /srv/application`);
  });

  test('no known value survives in any text around it', () => {
    const value = fc.string({ minLength: 6, maxLength: 40 }).filter((v) => !REDACTED.includes(v) && !/^\s|\s$/.test(v));
    fc.assert(
      fc.property(fc.string(), value, fc.string(), (before, known, after) => {
        const harmless = new Redactor();
        harmless.learn([known]);
        const clean = harmless.redact(`${before} ${known} ${after}`);
        // A harmless word is the only value that may stay.
        if (!/^(?:undefined|changeme|development|production|localhost|postgres|password)$/i.test(known)) expect(clean).not.toContain(known);
      }),
    );
  });
});

test('a source file named after a secret is no secret, and where in it stays to be read', () => {
  for (const text of [
    'at handle (/app/routes/token.js:123:45)',
    '/app/playbooks/set_payment_api_key.ts: does not compile',
    'auth/password.py:1204: SyntaxError',
    './secrets.go:102:9: undefined: load',
  ])
    expect(redact(text)).toBe(text);
  expect(redact('api_key.test: abc123def')).toBe(`api_key.test: ${REDACTED}`);
});

describe('deep values', () => {
  test('strings are redacted wherever they stand, and those under secret names go whole', () => {
    const redactor = knowing('tops3cret');
    expect(redactor.redactDeep({ a: ['say tops3cret', 1, null], b: { password: 'x', port: 5432 }, token: '', isReady: true })).toEqual({
      a: [`say ${REDACTED}`, 1, null],
      b: { password: REDACTED, port: 5432 },
      token: '',
      isReady: true,
    });
    expect(redactor.redactDeep({ pin: 1, password: 12_345_678, token: ['a', 7, { port: 1 }], secret: { a: 'b', c: null } })).toEqual({
      pin: 1,
      password: REDACTED,
      token: [REDACTED, REDACTED, { port: 1 }],
      secret: { a: 'b', c: null },
    });
  });
});

describe('a report', () => {
  test('keeps codes, states and names of checks, and loses secrets in all that is told', () => {
    const finding = {
      severity: 'warn',
      code: 'imports_cut',
      component: 'imports',
      message: 'imports here',
      hint: 'not imports',
      evidence: ['imports'],
    };
    const report = {
      outcome: 'success',
      stages: [
        {
          stage: 'Schema Sync & Secrets',
          result: 'success',
          checks: [{ name: 'imports', title: 'imports of the service', durationMs: 1 }],
        },
      ],
      findings: [finding],
      steps: [{ name: 'imports', code: 'imports', title: 'imports' }],
    };
    const hidden = { message: `${REDACTED} here`, hint: `not ${REDACTED}`, evidence: [REDACTED] };
    expect(knowing('imports', 'success').redactReport(report)).toEqual({
      ...report,
      findings: [{ ...finding, ...hidden }],
      steps: [{ name: REDACTED, code: REDACTED, title: REDACTED }],
    });
  });

  test('a text that is longer than any identifier is none', () => {
    const said = knowing('tops3cret').redactReport({ stage: `${'x'.repeat(90)} tops3cret` });
    expect(said.stage).not.toContain('tops3cret');
  });
});

test('where a secret lies is no secret', () => {
  const redactor = new Redactor();
  redactor.learnEnvironment({
    DB_PASSWORD_FILE: '/run/secrets/db_password',
    JWT_PRIVATE_KEY_PATH: 'keys/jwt.pem',
    API_TOKEN_FILE: 'abc/dEf1+==',
  });
  expect(redactor.redact('/run/secrets/db_password keys/jwt.pem abc/dEf1+==')).toBe(`/run/secrets/db_password keys/jwt.pem ${REDACTED}`);
});

describe('hostile text', () => {
  // Each would keep a backtracking pattern busy for hours; the time limit of the test is the assertion.
  test.each([
    ['names without values', 'password'.repeat(40_000)],
    ['one endless name', `${'a'.repeat(300_000)}password`],
    ['openings of keys', '-----BEGIN PRIVATE KEY-----'.repeat(4000)],
    ['schemes', 'a://b:'.repeat(50_000)],
    ['one endless scheme', `${'a'.repeat(300_000)}://`],
    ['token starts', 'eyJ'.repeat(100_000)],
    ['spaces after a name', `password${' '.repeat(300_000)}=x`],
    ['dots and dashes', 'secret.-_'.repeat(40_000)],
  ])('%s', (_what, text) => {
    expect(redact(text).length).toBeLessThanOrEqual(text.length + REDACTED.length);
  });
});
