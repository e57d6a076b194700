import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  closeSync,
  readFileSync,
} from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { importGraphs } from '../adapters/import-graph/look-at-imports.ts';
import { askHttp } from '../adapters/node/ask-http.ts';
import { checkModules } from '../adapters/node/check-module.ts';
import { nodeClock } from '../adapters/node/clock.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import { lintInThread } from '../adapters/node/lint-in-thread.ts';
import { machineView } from '../adapters/node/machine.ts';
import { openApiInThread } from '../adapters/node/openapi-in-thread.ts';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { certificates } from '../catalog/checks/certificates.ts';
import { configFiles } from '../catalog/checks/config-files.ts';
import { databaseFile } from '../catalog/checks/database-file.ts';
import { envExample } from '../catalog/checks/env-example.ts';
import { envValues } from '../catalog/checks/env-values.ts';
import { envSchema } from '../catalog/checks/env-schema.ts';
import { interpolation } from '../catalog/checks/interpolation.ts';
import { ownCheck } from '../catalog/checks/own-check.ts';
import { secretFiles } from '../catalog/checks/secret-files.ts';
import { ask as askCheck, inShort, serviceFolder } from '../catalog/checks/testing.ts';
import { vault, vaultOfEnvironment } from '../catalog/checks/vault.ts';
import { weakSecrets } from '../catalog/checks/weak-secrets.ts';
import type { Check, Finding, OwnCheckSpec } from '../domains/preflight/index.ts';

const PORTS = {
  clock: nodeClock,
  files: nodeFiles,
  spawner: nodeSpawner,
  lint: lintInThread,
  runModule: checkModules(nodeSpawner),
  ask: askHttp,
  machine: machineView(nodeSpawner),
  imports: importGraphs(nodeSpawner, '/nonexistent/import-graph.json', false),
  readOpenApi: openApiInThread,
};
const CANARY = 'canary-9d2f7b1e';

type Change = Parameters<typeof askCheck>[3];
const ask = (check: Check, dir: string, change?: Change): Promise<readonly Finding[]> => askCheck(check, dir, PORTS, change);
const short = async (check: Check, dir: string, change?: Change): Promise<readonly string[]> => inShort(await ask(check, dir, change), dir);

describe('configuration files', () => {
  test('are errors where the service reads them, and warnings where they merely lie there', async () => {
    const dir = serviceFolder({
      'package.json': '{"name": "x",}}',
      'settings.yaml': 'a: [',
      'other.json': '{"a": 1, "a": 2}',
      'config/deep.toml': 'a = 1\na = 2',
      '.env': 'A=1\nA=2\n',
    });
    expect(await short(configFiles, dir, { spec: { command: ['node', 'server.js', '--config=settings.yaml'] } })).toEqual([
      'error config_broken package.json:1',
      'error config_broken settings.yaml:1',
      'warn config_broken config/deep.toml:2',
      'warn key_twice .env:2',
      'warn key_twice other.json:1',
    ]);
  });

  test('that programs write, show as an example, or bring along are passed over', async () => {
    const broken = '{{{';
    const dir = serviceFolder({
      'package-lock.json': broken,
      'pnpm-lock.yaml': 'a: [',
      'composer.lock.json': broken,
      'config.example.json': broken,
      'node_modules/x/config.json': broken,
      'config/node_modules/x.json': broken,
      '.grace/x.json': broken,
      'data/x.json': broken,
    });
    expect(await ask(configFiles, dir)).toEqual([]);
  });

  test('are also found by a bare name in the folder that the command names', async () => {
    const dir = serviceFolder({ 'data/flows.json': '[{"id": 1', 'data/other.json': '{' });
    expect(await short(configFiles, dir, { spec: { command: ['node', 'red.js', '--userDir', 'data', 'flows.json'] } })).toEqual([
      'warn config_broken data/flows.json:1',
    ]);
  });

  test('that are data, line by line, are no broken JSON unless they are called a config', async () => {
    const lines = '{"id":1}\n{"id":2}\n';
    const dir = serviceFolder({
      'data/seed.json': lines,
      'data/cut.json': `${lines}{"id":`,
      'config.json': lines,
      'one.json': '{"id":1,\n',
    });
    const named = (...names: readonly string[]) => short(configFiles, dir, { spec: { command: ['node', 'server.js', ...names] } });
    const others = ['warn config_broken one.json:2'];
    expect(await named('data/seed.json')).toEqual(['warn config_broken config.json:2', ...others]);
    expect(await named('data/cut.json')).toEqual(['warn config_broken config.json:2', 'warn config_broken data/cut.json:2', ...others]);
    expect(await named('config.json', 'one.json')).toEqual(['error config_broken config.json:2', 'error config_broken one.json:2']);
    expect(await named('--config', 'data/seed.json')).toEqual([
      'error config_broken data/seed.json:2',
      'warn config_broken config.json:2',
      ...others,
    ]);
  });

  test('can be scripts: the one that Node begins with is an error, and another that the command names a warning', async () => {
    const dir = serviceFolder({
      'server.mjs': 'export const a = 1;\nexport const a = secret"x";',
      'settings.js': 'module.exports = {',
      'other.js': '(',
    });
    expect(await short(configFiles, dir, { spec: { command: ['node', 'server.mjs', '--settings', 'settings.js'] } })).toEqual([
      'error config_broken server.mjs:2',
      'warn config_broken settings.js:1',
    ]);
    const [first] = await ask(configFiles, dir, { spec: { command: ['node', 'server.mjs'] } });
    expect(first?.message).not.toContain('secret');
    expect(await short(configFiles, dir, { spec: { command: ['node', '--import', 'jsx', 'server.mjs'] } })).toEqual([
      'warn config_broken server.mjs:2',
    ]);
    writeFileSync(join(dir, 'server.mjs'), 'import { a } from "nowhere";\nexport default await a;');
    expect(await short(configFiles, dir, { spec: { command: ['node', 'server.mjs'] } })).toEqual([]);
  });

  test('with bytes that are no UTF-8 are told, and read on', async () => {
    const dir = serviceFolder({ 'a.json': Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) });
    expect(await short(configFiles, dir)).toEqual(['warn config_not_utf8 a.json']);
  });

  test('that are no files, lead in a circle, or have a hundred megabytes are not waited for', async () => {
    const dir = serviceFolder({ 'fine.json': '{}' });
    execFileSync('mkfifo', [join(dir, 'pipe.json')]);
    symlinkSync(join(dir, 'loop.json'), join(dir, 'loop.json'));
    symlinkSync(dir, join(dir, 'config'));
    closeSync(openSync(join(dir, 'large.json'), 'w'));
    truncateSync(join(dir, 'large.json'), 100 * 1024 * 1024);
    expect(await ask(configFiles, dir, { spec: { command: ['x', 'pipe.json', 'loop.json', 'large.json'] } })).toEqual([]);
  });

  test('that reach the limits of the check are named, the first of them, and what was seen before counts', async () => {
    const dir = serviceFolder({ '.env': 'A=1', 'b.json': '{"a": 1, "a": 2}', 'c.yaml': 'a: 1' });
    const cutOff: typeof lintInThread = async (texts, signal) =>
      (await lintInThread(texts, signal)).map((answer, i) => (i < 2 ? answer : null));
    const findings = await askCheck(configFiles, dir, { ...PORTS, lint: cutOff });
    expect(inShort(findings, dir)).toEqual(['warn config_unreadable c.yaml', 'warn key_twice b.json:1']);
  });

  test('are given up when Grace stops', async () => {
    const text = { path: 'a', format: 'yaml', text: 'a: 1' } as const;
    expect(await lintInThread([text, text], AbortSignal.abort())).toEqual([null, null]);
  });
});

test('an example names what nobody filled in, and not what has a value, is optional or is set', async () => {
  const dir = serviceFolder({
    '.env.example': 'PORT=3000\nAPI_URL=<url>\n# optional\nSMTP=\nDSN= # leave empty for none\n#COMMENTED=\nREAD_BY_ITSELF=\nSET=\n',
    '.env': 'READ_BY_ITSELF=1\n',
  });
  const findings = await ask(envExample, dir, { env: { SET: '' } });
  expect(inShort(findings, dir)).toEqual(['warn env_not_filled_in .env.example:2']);
  expect(findings[0]?.message).toContain('names API_URL, which has no value');
});

test('a placeholder of the example that was copied is named, and one that is empty', async () => {
  const lines = 'API_URL=<your url>\nSMTP_HOST=your-smtp-host\nEMPTY=<url>\nREDIS_PASSWORD=null\nMODE=example\nNONE=\n';
  const dir = serviceFolder({ '.env.example': lines, '.env': lines.replace('<url>', '').replace('your-smtp', 'mail') });
  const findings = await ask(envExample, dir);
  expect(findings.map(({ severity, code, message }) => `${severity} ${code} ${message}`).toSorted()).toEqual([
    'warn env_not_filled_in .env.example:3 names EMPTY, which has no value in the environment or an env file',
    'warn env_placeholder API_URL still has the placeholder of .env.example',
  ]);
});

test.each(['99999', 'abc', '-1', '80x'])('PORT=%s is no port', async (port) => {
  expect(await short(envValues, serviceFolder({ '.env': `PORT=${port}` }))).toEqual(['warn port_invalid']);
});

test.each(['0', '65535', ' 80', '/run/app.sock', '127.0.0.1:80', '', '${WEB_PORT}'])('PORT=%s may be one', async (port) => {
  expect(await short(envValues, serviceFolder({ '.env': `PORT=${port}` }))).toEqual([]);
});

describe('database files', () => {
  const header = 'SQLite format 3\0';
  const dir = (content: string | Uint8Array): string => serviceFolder({ 'data/app.db': content, '.env': '' });
  const said = (content: string | Uint8Array, database: string, env = {}) => short(databaseFile, dir(content), { spec: { database }, env });

  test('one that is well or empty, encrypted, in memory or not made yet is silent', async () => {
    const database = 'data/app.db';
    expect(await said(header + 'x'.repeat(4080), database)).toEqual([]);
    expect(await said('', database)).toEqual([]);
    expect(await said('x', 'data/other.db')).toEqual([]);
    for (const other of ['sqlite::memory:', 'postgres://h/d', '$NOT_SET', 'sqlite:///data/app2.db'])
      expect(await said('x', other)).toEqual([]);
    // it cannot be told from damage: only a warning
    expect(await said(Buffer.from('\x01\xff\x02'.repeat(512), 'latin1'), database)).toEqual(['warn database_file_broken']);
  });

  test('one that is garbage, and one whose folder is not there', async () => {
    expect(await said('garbage', 'data/app.db')).toEqual(['error database_file_broken']);
    expect(await said('garbage', '$DB', { DB: 'sqlite+aiosqlite:///data/app.db' })).toEqual(['error database_file_broken']);
    expect(await said('garbage', '', { DB: 'sqlite:data/app.db' })).toEqual(['warn database_file_broken']);
    expect(await said('', 'gone/x.db')).toEqual(['warn database_dir_missing']);
    expect(await said('', '', { DATABASE_URL: 'sqlite:////none/dir/app.db' })).toEqual(['warn database_dir_missing']);
  });
});

test('a reference to nothing is seen in an env file, and one with a default, a value or single quotes is not', async () => {
  const dir = serviceFolder({
    '.env': "HOST=a\nURL=http://${HOST}/${PORT:-80}\nLITERAL='${NOTHING}'\nESCAPED=\\${NOTHING}\nWRONG=${NOWHERE}/${FROM_OUTSIDE}\n",
  });
  expect(await short(interpolation, dir, { env: { FROM_OUTSIDE: 'x' } })).toEqual(['warn reference_without_value .env:5']);
});

test('a Compose file counts where a component is started with Compose', async () => {
  const dir = serviceFolder({
    'compose.yaml': 'services:\n  db:\n    image: pg:${PG_VERSION}\n    # ${NOT_THIS}\n    command: $${NOR_THIS}\n',
  });
  expect(await ask(interpolation, dir)).toEqual([]);
  expect(await short(interpolation, dir, { spec: { command: ['docker', 'compose', 'up'] } })).toEqual([
    'warn reference_without_value compose.yaml:3',
  ]);
});

test('weak secrets are seen in env files and in what the config sets, and are shown nowhere', async () => {
  const dir = serviceFolder({
    '.env': `SESSION_SECRET=${CANARY.slice(0, 12)}\nDB=postgres://app:password@db.internal/x\nLOCAL=postgres://postgres:postgres@localhost/x\nAPI_KEY=k9Xw2mQ7pL4t\n`,
  });
  const findings = await ask(weakSecrets, dir, { spec: { env: { ADMIN_PASSWORD: 'hunter2' } } });
  expect(inShort(findings, dir)).toEqual(['warn secret_weak', 'warn secret_weak .env:1', 'warn secret_weak .env:2']);
  expect(JSON.stringify(findings)).not.toMatch(/canary|hunter2|app:password/);
});

describe('files with secrets', () => {
  test('that others may read are warned of, unless nothing in them is secret or nobody gets there', async () => {
    const dir = serviceFolder({ '.env': 'API_TOKEN=x1', '.env.local': 'PORT=1' });
    expect(await ask(secretFiles, dir)).toEqual([]);
    chmodSync(join(dir, '.env'), 0o644);
    chmodSync(join(dir, '.env.local'), 0o644);
    expect(await short(secretFiles, dir)).toEqual(['warn secret_file_readable .env']);
    chmodSync(dir, 0o700);
    expect(await ask(secretFiles, dir)).toEqual([]);
  });

  test('a private key that everybody may write is an error', async () => {
    const dir = serviceFolder({ 'certs/server.key': '-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n' });
    chmodSync(join(dir, 'certs'), 0o755);
    chmodSync(join(dir, 'certs/server.key'), 0o666);
    expect(await short(secretFiles, dir)).toEqual(['error secret_file_writable certs/server.key']);
  });

  test('mounted ones have to be there, with something in them', async () => {
    const dir = serviceFolder({ full: 'x', empty: '\n' });
    mkdirSync(join(dir, 'folder'));
    const files = ['full', 'empty', 'missing', 'folder'].map((name) => join(dir, name));
    expect(await short(secretFiles, dir, { settings: { secretFiles: files } })).toEqual([
      'error secret_not_mounted empty',
      'error secret_not_mounted folder',
      'error secret_not_mounted missing',
    ]);
    expect(await short(secretFiles, dir, { spec: { env: { DB_PASSWORD_FILE: '/run/secrets/grace-has-none' } } })).toEqual([
      'warn secret_not_mounted /run/secrets/grace-has-none',
    ]);
  });
});

/** A key and a certificate of its own, made by OpenSSL. */
function certificateIn(dir: string, name: string, options: readonly string[] = []): void {
  const made = spawnSync('openssl', [
    ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost'.split(' '),
    ...`-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout ${dir}/${name}.key -out ${dir}/${name}.crt`.split(' '),
    ...(options.length === 0 ? ['-days', '365'] : options),
  ]);
  if (made.status !== 0) throw new Error(String(made.stderr));
  chmodSync(join(dir, `${name}.key`), 0o600);
}

describe('certificates', () => {
  const named = { command: ['serve', '--cert', 'a.crt', '--key', 'a.key'] };

  test('a good one with its key says nothing', async () => {
    const dir = serviceFolder({});
    certificateIn(dir, 'a');
    expect(await ask(certificates, dir, { spec: named })).toEqual([]);
  });

  test('one that ends within two weeks is warned of; one that has ended is an error where the service proves itself with it', async () => {
    const dir = serviceFolder({});
    certificateIn(dir, 'a', ['-days', '3']);
    expect(await short(certificates, dir, { spec: named })).toEqual(['warn certificate_expires_soon a.crt']);
    const later = { ...nodeClock, nowMs: () => Date.now() + 30 * 86_400_000 };
    const ended = await askCheck(certificates, dir, { ...PORTS, clock: later }, { spec: named });
    expect(inShort(ended, dir)).toEqual(['error certificate_expired a.crt']);
    expect(inShort(await askCheck(certificates, dir, { ...PORTS, clock: later }), dir)).toEqual(['warn certificate_expired a.crt']);
    const before = { ...nodeClock, nowMs: () => Date.now() - 30 * 86_400_000 };
    expect(inShort(await askCheck(certificates, dir, { ...PORTS, clock: before }, { spec: named }), dir)).toEqual([
      'error certificate_not_yet_valid a.crt',
    ]);
  });

  test('one that belongs to another key, or was cut off', async () => {
    const dir = serviceFolder({});
    certificateIn(dir, 'a');
    certificateIn(dir, 'b');
    const mixed = { command: ['serve', '--cert', 'a.crt', '--key', 'b.key'] };
    expect(await short(certificates, dir, { spec: mixed })).toEqual(['error certificate_key_mismatch a.crt']);
    writeFileSync(join(dir, 'b.crt'), readFileSync(join(dir, 'b.crt'), 'utf8').slice(0, 300));
    expect(await short(certificates, dir, { spec: named })).toEqual(['warn certificate_broken b.crt']);
  });

  test('an authority beside a certificate and its key has its own key elsewhere', async () => {
    const dir = serviceFolder({});
    for (const name of ['a', 'b']) certificateIn(dir, name);
    rmSync(join(dir, 'b.key'));
    for (const ca of ['b.crt', 'ca.crt', 'rds-root.pem']) {
      renameSync(join(dir, 'b.crt'), join(dir, ca));
      const command = ['serve', '--cert', 'a.crt', '--key', 'a.key', '--ca', ca];
      expect(await ask(certificates, dir, { spec: { command } })).toEqual([]);
      const env = { TLS_CERT: 'a.crt', TLS_KEY: 'a.key', TLS_CA: ca };
      expect(await ask(certificates, dir, { spec: { command: ['serve'], env }, env })).toEqual([]);
      renameSync(join(dir, ca), join(dir, 'b.crt'));
    }
  });

  test('a key of another use is not that of a certificate', async () => {
    const dir = serviceFolder({});
    for (const name of ['a', 'b', 'c']) certificateIn(dir, name);
    rmSync(join(dir, 'a.key'));
    for (const env of [
      { PGSSLROOTCERT: 'a.crt', JWT_PRIVATE_KEY_FILE: 'b.key' },
      { TLS_CERT: 'a.crt', JWT_PRIVATE_KEY_FILE: 'b.key' },
      { SERVER_CERT: 'b.crt', SERVER_KEY: 'b.key', CLIENT_CERT: 'a.crt', CLIENT_KEY: 'b.key' },
    ])
      expect(await short(certificates, dir, { spec: { command: ['serve'], env }, env })).toEqual([]);
    const env = { PGSSLCERT: 'a.crt', PGSSLKEY: 'b.key' };
    rmSync(join(dir, 'b.crt'));
    expect(await short(certificates, dir, { spec: { command: ['serve'], env }, env })).toEqual(['error certificate_key_mismatch a.crt']);
  });

  test('a chain out of order, and a name that is not its own', async () => {
    const dir = serviceFolder({});
    certificateIn(dir, 'a');
    certificateIn(dir, 'b', ['-days', '365', '-subj', '/CN=other']);
    writeFileSync(join(dir, 'a.crt'), readFileSync(join(dir, 'a.crt'), 'utf8') + readFileSync(join(dir, 'b.crt'), 'utf8'));
    const target = { kind: 'http', url: 'https://api.example/', expectStatus: null, caFile: null } as const;
    const readiness = { target, intervalMs: 1000, timeoutMs: 1000, failureThreshold: 1 };
    expect(await short(certificates, dir, { spec: { ...named, readiness } })).toEqual([
      'warn certificate_chain_order a.crt',
      'warn certificate_other_name a.crt',
    ]);
  });
});

describe('a vault', () => {
  async function vaultServer(status: number) {
    const dir = serviceFolder({});
    certificateIn(dir, 'v');
    const paths: string[] = [];
    const server = createServer({ key: readFileSync(join(dir, 'v.key')), cert: readFileSync(join(dir, 'v.crt')) }, (request, response) => {
      paths.push(request.url ?? '');
      response.writeHead(status).end('x'.repeat(1_000_000));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return { dir, paths, address: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, caFile: join(dir, 'v.crt') };
  }

  test.each([
    [200, []],
    [429, []],
    [473, []],
    [501, ['error vault_not_ready']],
    [503, ['error vault_not_ready']],
    [404, ['error vault_unreachable']],
  ])('that answers %i over TLS', async (status, expected) => {
    const { dir, paths, address, caFile } = await vaultServer(status);
    expect(await short(vault, dir, { settings: { vault: { address, caFile } } })).toEqual(expected);
    expect(paths).toEqual(['/v1/sys/health']);
  });

  test('whose certificate nobody vouches for, and one that does not listen', async () => {
    const { dir, address, caFile } = await vaultServer(200);
    expect(await short(vault, dir, { settings: { vault: { address, caFile: null } } })).toEqual(['error vault_not_trusted']);
    expect(await short(vault, dir, { settings: { vault: { address: 'https://127.0.0.1:1', caFile } } })).toEqual([
      'error vault_unreachable',
    ]);
  });

  test('is looked for by VAULT_ADDR only to warn, and not where the config says none', async () => {
    const { dir, address, caFile } = await vaultServer(503);
    const env = { VAULT_ADDR: address, VAULT_CACERT: caFile };
    expect(await short(vaultOfEnvironment, dir, { env })).toEqual(['warn vault_not_ready']);
    expect(await ask(vaultOfEnvironment, dir, { env, settings: { vault: 'none' } })).toEqual([]);
    expect(await ask(vaultOfEnvironment, dir)).toEqual([]);
  });
});

const SCHEMA = `
export default { '~standard': { version: 1, vendor: 't', validate: (env) => ({ issues: [
  ...(env.PORT === undefined ? [{ message: 'expected a number', path: ['PORT'] }] : []),
  ...(env.TOKEN === undefined ? [] : [{ message: 'too short (was "' + env.TOKEN + '")', path: [{ key: 'TOKEN' }] }]),
  ...(env.LEVEL === undefined ? [] : [{ message: 'must be debug or info (was "' + env.LEVEL + '")', path: ['LEVEL'] }]),
] }) } };`;

describe('an environment schema', () => {
  const with_ = (source: string, env: Readonly<Record<string, string>> = {}, exportName: string | null = null) => {
    const dir = serviceFolder({ 'env.mjs': source });
    return ask(envSchema, dir, { env, settings: { envSchemas: new Map([['api', { file: join(dir, 'env.mjs'), exportName }]]) } });
  };

  test('says by name what is missing and what is wrong, without any value', async () => {
    const findings = await with_(SCHEMA, { TOKEN: CANARY, LEVEL: `${CANARY}-2` });
    expect(findings.map(({ severity, code, message }) => `${severity} ${code} ${message}`)).toEqual([
      'error env_invalid PORT is not set: expected a number',
      'error env_invalid TOKEN is not what its schema wants',
      'error env_invalid LEVEL is not what its schema wants: must be debug or info (was …)',
    ]);
    expect(JSON.stringify(findings)).not.toContain(CANARY);
  });

  test('that is met says nothing', async () => {
    expect(await with_(SCHEMA, { PORT: '1' })).toEqual([]);
  });

  test('sees what the command reads from its env file by itself', async () => {
    const dir = serviceFolder({ 'env.mjs': SCHEMA, '.env': 'PORT=1\n' });
    expect(
      await ask(envSchema, dir, { settings: { envSchemas: new Map([['api', { file: join(dir, 'env.mjs'), exportName: null }]]) } }),
    ).toEqual([]);
  });

  test('that the module applies while it is loaded is read from what it throws', async () => {
    const findings = await with_(`throw Object.assign(new Error('x'), { issues: [{ path: ['A'], message: 'Required' }] });`);
    expect(findings.map(({ message }) => message)).toEqual(['A is not set: Required']);
  });

  test.each([
    ['has no such export', 'export const a = 1;', 'other', 'env_schema_unusable'],
    ['is no schema', 'export default {};', null, 'env_schema_unusable'],
    ['is no code', 'export default {', null, 'env_schema_unusable'],
    ['throws', `export default { '~standard': { validate() { throw new Error('no'); } } };`, null, 'env_schema_failed'],
    ['ends the process', 'process.exit(3);', null, 'env_schema_failed'],
  ])('whose module %s is one error', async (_what, source, exportName, code) => {
    expect((await with_(source, {}, exportName)).map((f) => f.code)).toEqual([code]);
  });
});

describe('a check of the config', () => {
  const own = (target: OwnCheckSpec['target'], change: Partial<OwnCheckSpec> = {}): Check =>
    ownCheck({ name: 'mine', target, timeLimitMs: 5000, severity: 'error', component: null, ...change });
  const command = (...argv: string[]): OwnCheckSpec['target'] => ({ kind: 'command', argv });

  test('passes with exit code 0, and says otherwise what it printed last', async () => {
    const dir = serviceFolder({});
    expect(await ask(own(command('true')), dir)).toEqual([]);
    const [found] = await ask(own(command('sh', '-c', 'seq 100000; echo the last >&2; exit 4')), dir);
    expect(found).toMatchObject({ severity: 'error', code: 'mine', message: '"mine" ended with exit code 4: the last' });
  });

  test('that hangs is ended with what it has started', async () => {
    const dir = serviceFolder({});
    const [found] = await ask(own(command('sh', '-c', 'sleep 300 & echo $! > child; wait'), { timeLimitMs: 300 }), dir);
    expect(found?.message).toBe('"mine" took more than 300 ms, and was ended');
    const child = readFileSync(join(dir, 'child'), 'utf8').trim();
    const state = spawnSync('ps', ['-o', 'stat=', '-p', child]).stdout.toString().trim();
    expect(state === '' || state.startsWith('Z')).toBe(true);
  });

  test('that does not exist is said to', async () => {
    expect((await ask(own(command('/no/such/program')), serviceFolder({})))[0]?.message).toBe('"mine" could not be started (ENOENT)');
  });

  const calling = async (source: string, change: Partial<OwnCheckSpec> = {}) => {
    const dir = serviceFolder({ 'check.mjs': source });
    return ask(own({ kind: 'module', module: { file: join(dir, 'check.mjs'), exportName: null } }, change), dir, { env: { WHO: 'me' } });
  };

  test.each([
    ['nothing', 'export default () => {};', []],
    ['true', 'export default async () => true;', []],
    ['a text', 'export default ({ env, component }) => `${component} of ${env.WHO}`;', [{ severity: 'error', message: 'api of me' }]],
    ['an issue', `export default () => ({ message: 'm', hint: 'h', severity: 'warn' });`, [{ severity: 'warn', message: 'm', hint: 'h' }]],
    ['a list', `export const one = () => ['a', { message: 'b' }];`, [{ message: 'a' }, { message: 'b' }]],
  ])('in a module may answer with %s', async (_what, source, expected) => {
    const findings = await calling(source);
    expect(findings).toHaveLength(expected.length);
    expect(findings).toMatchObject(expected);
  });

  test('in a module that throws, hangs, or prints ten megabytes is one finding', async () => {
    expect(await calling(`export default () => { throw new Error('broken'); };`)).toMatchObject([{ message: '"mine" threw: broken' }]);
    expect(await calling('export default () => { for (;;); };', { timeLimitMs: 1500 })).toMatchObject([
      { message: '"mine" took more than 1500 ms, and was ended' },
    ]);
    expect(await calling(`export default () => { process.stdout.write('x'.repeat(1e7)); return 'found'; };`)).toMatchObject([
      { message: 'found' },
    ]);
    const flood = await calling(`export default () => Array.from({ length: 1e5 }, () => 'y'.repeat(1000));`);
    expect(flood).toHaveLength(20);
    expect(flood[0]?.message.length).toBeLessThanOrEqual(300);
  });
});
