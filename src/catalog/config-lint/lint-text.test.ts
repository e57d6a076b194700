import { describe, expect, test } from 'vitest';
import type { ConfigFormat } from '../../domains/preflight/index.ts';
import { readEnvLines } from './env-lines.ts';
import { lintText } from './lint-text.ts';
import { isDefaultSecret, weaknessOf } from './weak-secret.ts';

const seen = async (format: ConfigFormat, text: string) =>
  (await lintText(format, text)).map(({ kind, code, line, column }) => `${kind} ${code} ${line}:${column}`);

describe('what no program can read, with line and column', () => {
  test.each([
    ['json', '{\n  "a": 1,\n  "b": }', '3:8'],
    ['json', '', '1:1'],
    ['yaml', 'a: 1\nb:\n\t- x', '3:1'],
    ['yaml', 'a: [1, 2', '1:9'],
    ['toml', 'a = 1\nb = ', '2:5'],
    ['toml', 'a = 1\na = 2', '2:1'],
    ['ini', '[a]\nx=1\n[b\ny=2', '3:1'],
    ['env', 'A=1\0\0', '1:4'],
    ['script', "module.exports = {\n  a: 'b'  c: 'd',\n};", '2:11'],
    ['script', '#!/usr/bin/env node\nconst a = 1;\nconst a = 2;', '3:7'],
  ] as const)('%s: %j', async (format, text, place) => {
    expect(await seen(format, text)).toEqual([`broken config_broken ${place}`]);
  });
});

describe('what is there twice', () => {
  test.each([
    ['json', '{"a": {"x": 1, "b": 2,\n "x": 3}, "x": 4}', '2:2'],
    ['yaml', 'a:\n  x: 1\n  y: 1\n  x: 2\nb: {x: 1}', '4:3'],
    ['ini', '[a]\nx = 1\n[b]\nx = 1\n[a]\nx = 2', '6:1'],
    ['env', 'A=1\nB=2\nexport A=3', '3:1'],
  ] as const)('%s: %j', async (format, text, place) => {
    expect(await seen(format, text)).toEqual([`doubtful key_twice ${place}`]);
  });
});

describe('what is fine', () => {
  test.each([
    ['json', '\uFEFF{"a": 1}'],
    ['script', ''],
    ['script', '#!/usr/bin/env node\nif (!process.argv[2]) return;\nexports.await = async () => await 1;'],
    ['script', "import { a } from './a.js';\nexport default await a(import.meta.url);"],
    ['json', '// why\n{"a": [1, 2,], "//": "one", "//": "two"}'],
    ['yaml', '--- \na: &x {p: 1}\nb: {<<: *x, p: 2}\n---\na: !Ref Thing\nc: !vault |\n  abc'],
    ['yaml', '# nothing but a remark\n'],
    ['yaml', '{% if x %}\na: {{ value }}\n'],
    ['toml', '[a]\nx = 1\n[b]\nx = 1\n[[c]]\n[[c]]'],
    ['ini', '; x\n[a]\nx=1\nlist[]=1\nlist[]=2\nkey with spaces\n  continued = yes\n'],
    ['env', 'A=1\r\n# x\nexport B="two\nlines"\nC=\'$X\' # why\nD=a#b\nexport A_SHELL_ONLY\nE="say \\"hi\\""\n'],
  ] as const)('%s: %j', async (format, text) => {
    expect(await lintText(format, text)).toEqual([]);
  });
});

test('a placeholder under a secret name is seen wherever it stands, and never shown', async () => {
  for (const [format, text] of [
    ['json', '{"db": {"password": "changeme"}}'],
    ['yaml', 'db:\n  password: changeme'],
    ['ini', '[db]\npassword = "changeme"'],
  ] as const) {
    const problems = await lintText(format, text);
    expect(problems).toMatchObject([{ code: 'secret_placeholder' }]);
    expect(JSON.stringify(problems)).not.toContain('changeme');
  }
});

test('an error never quotes what stands there', async () => {
  const canary = 'canary-3f9a1c';
  for (const [format, text] of [
    ['json', `{"token": ${canary}}`],
    ['yaml', `token: "${canary}\nx: *${canary}`],
    ['toml', `token = ${canary}`],
    ['ini', `[${canary}`],
    ['env', `TOKEN="${canary}\n${canary}`],
  ] as const) {
    const problems = await lintText(format, text);
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toContain(canary);
  }
});

test('what is nested deeper than a parser goes is said to be so', async () => {
  for (const format of ['json', 'yaml'] as const)
    expect(await lintText(format, '['.repeat(200_000))).toMatchObject([{ kind: 'broken', code: 'config_broken' }]);
});

test('a YAML that would grow into gigabytes is read without following its aliases', async () => {
  const levels = Array.from(
    { length: 30 },
    (_, i) =>
      `l${i}: &l${i} [${
        i === 0
          ? 'x'
          : Array(10)
              .fill(`*l${i - 1}`)
              .join(', ')
      }]`,
  );
  expect(await lintText('yaml', levels.join('\n'))).toEqual([]);
});

test('forty thousand keys are compared in one pass', async () => {
  const keys = Array.from({ length: 40_000 }, (_, i) => `k${i}: 1`);
  expect(await seen('yaml', [...keys, 'k7: 2'].join('\n'))).toEqual(['doubtful key_twice 40001:1']);
});

describe('env files', () => {
  test('are read with quotes, several lines, comments and places', () => {
    const { entries, problems } = readEnvLines('A=1 # one\nB="x\ny"\n# optional\nC=\'${D}\'\nnonsense\nE="open\nF=2');
    expect(entries.map(({ name, value, quote, line }) => [name, value, quote, line])).toEqual([
      ['A', '1', null, 1],
      ['B', 'x\ny', '"', 2],
      ['C', '${D}', "'", 5],
      ['E', 'open', null, 7],
      ['F', '2', null, 8],
    ]);
    expect(entries[2]?.remark).toContain('optional');
    expect(problems.map(({ line, kind }) => [line, kind])).toEqual([
      [6, 'doubtful'],
      [7, 'doubtful'],
    ]);
  });
});

describe('secrets that anybody could guess', () => {
  test.each([
    ['SECRET_KEY', 'changeme'],
    ['API_KEY', 'your-key-here'],
    ['API_TOKEN', '<token>'],
    ['DB_PASSWORD', 'password123'],
    ['DB_PASSWORD', 'abc9'],
    ['JWT_SECRET', 'shorter'],
    ['SESSION_SECRET', 'keyboard cat'],
    ['SECRET_KEY', 'aaaaaaaaaaaaaaaaaaaaaaaa'],
    ['ENCRYPTION_KEY', 'xxxxxxxxxxxxxxxx'],
  ])('%s=%s', (name, value) => {
    const why = weaknessOf(name, value);
    expect(why).not.toBeNull();
    expect(why).not.toContain(value);
  });

  test.each([
    ['SECRET_KEY', 'kX9v2mQ7pL4tR8wZ3nB6'],
    ['JWT_SECRET', '5f4dcc3b5aa765d61d8327deb882cf99'],
    ['DB_PASSWORD', 'correct horse battery staple'],
    ['API_KEY', ''],
    ['API_KEY', '${OTHER}'],
    ['DB_PASSWORD', '/run/secrets/db'],
    ['DB_PASSWORD_FILE', 'secret'],
    ['TOKEN_TTL', '15m'],
    ['JWT_SECRET_ROTATION_ENABLED', 'true'],
    ['PASSWORD_MIN_LENGTH', '8'],
    ['SESSION_COOKIE', 'sid'],
    ['AUTH', 'none'],
    ['GREETING', 'changeme'],
    ['TOKENIZER_MODEL', 'test'],
  ])('%s=%s is none of them', (name, value) => {
    expect(weaknessOf(name, value)).toBeNull();
  });

  test('a long text does not make the look slow', () => {
    expect(isDefaultSecret('your-'.repeat(100_000))).toBe(false);
  });
});
