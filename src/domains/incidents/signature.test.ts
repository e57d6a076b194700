import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fact, Frame, OutputFacts } from './fact.ts';
import { computeSignature, principalFact, type SignatureInput } from './signature.ts';

const fact = (kind: Fact['kind'], subject: string, more: Partial<Fact> = {}): Fact => ({
  kind,
  runtime: 'node',
  code: '',
  subject,
  details: {},
  line: '',
  lineIndex: 0,
  ...more,
});
const frame = (path: string, name: string, line: number, inDependency = false): Frame => ({
  path,
  function: name,
  line,
  inDependency,
  package: null,
});

function sign(output: Partial<OutputFacts>, more: Partial<SignatureInput> = {}) {
  const { facts = [], frames = [], headline = '', runtime = 'node' } = output;
  return computeSignature({
    component: 'api',
    output: { facts, frames, headline, runtime },
    exitCode: 1,
    signal: null,
    symptom: 'exit',
    directory: '/srv/shop',
    ...more,
  });
}

describe('the same failure', () => {
  const now = sign({
    headline: '2026-11-22T03:04:05.678Z [4711] worker 12 died at 0x7ffe12ab after 301 ms, request 550e8400-e29b-41d4-a716-446655440000',
  });

  test('has sixteen hex digits', () => {
    expect(now.signature).toMatch(/^[0-9a-f]{16}$/);
  });

  test.each([
    [
      'another time',
      '2027-01-01 23:59:59,001 [4711] worker 12 died at 0x7ffe12ab after 301 ms, request 550e8400-e29b-41d4-a716-446655440000',
    ],
    ['another pid', '2026-11-22T03:04:05.678Z [9] worker 12 died at 0x7ffe12ab after 301 ms, request 550e8400-e29b-41d4-a716-446655440000'],
    [
      'other numbers',
      '2026-11-22T03:04:05.678Z [4711] worker 3 died at 0x7ffe12ab after 2.75 ms, request 550e8400-e29b-41d4-a716-446655440000',
    ],
    [
      'another address and id',
      '2026-11-22T03:04:05.678Z [4711] worker 12 died at 0xdeadbeef after 301 ms, request 123e4567-e89b-12d3-a456-426614174000',
    ],
  ])('keeps its signature at %s', (_what, headline) => {
    expect(sign({ headline }).signature).toBe(now.signature);
  });

  test('keeps its signature on another port, since the port is what differs between machines', () => {
    const on = (port: string) => sign({ facts: [fact('port_in_use', port, { code: 'EADDRINUSE' })] }).signature;
    expect(on('3000')).toBe(on('48123'));
  });

  test.each([
    ['that it names', (path: string) => ({ facts: [fact('path_missing', path)] })],
    [
      'inside the message of an exception',
      (path: string) => ({ facts: [fact('exception', 'Error', { details: { message: `no ${path}` } })] }),
    ],
    ['in a line that nobody understands', (path: string) => ({ headline: `cannot use ${path} here` })],
  ])('keeps its signature in another checkout, for a path %s', (_where, output) => {
    const at = (directory: string, path: string) => sign(output(`${directory}/${path}`), { directory }).signature;
    expect(at('/srv/shop/releases/12', 'config/app.yaml')).toBe(at('/home/me/shop', 'config/app.yaml'));
    expect(at('/app', 'config/app.yaml')).not.toBe(at('/app', 'config/db.yaml'));
  });

  test('keeps its signature for a file of another release beside its directory', () => {
    const of = (release: string) =>
      sign({ facts: [fact('path_missing', `/srv/shop/releases/${release}/shared/config/app.yaml`)] }).signature;
    expect(of('12')).toBe(of('20261122'));
  });

  test('keeps its signature when the code above it moved by some lines', () => {
    const at = (line: number) =>
      sign({ facts: [fact('exception', 'TypeError')], frames: [frame('/srv/a/src/cart.js', 'total', line)] }).signature;
    expect(at(10)).toBe(at(99));
  });

  test('keeps its signature whether it is reached through another version of a dependency or not', () => {
    const own = frame('/srv/a/src/cart.js', 'total', 3);
    const facts = [fact('exception', 'TypeError')];
    expect(sign({ facts, frames: [frame('/srv/a/node_modules/x/i.js', 'go', 1, true), own] }).signature).toBe(
      sign({ facts, frames: [own] }).signature,
    );
  });

  test('that names its object keeps its signature wherever in the code it shows', () => {
    const from = (name: string) => sign({ facts: [fact('env_missing', 'DATABASE_URL')], frames: [frame('/srv/a.js', name, 1)] }).signature;
    expect(from('connect')).toBe(from('migrate'));
  });

  test('keeps its signature whatever numbers stand in its message', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (a, b) => {
        expect(sign({ headline: `gave up after ${a} tries` }).signature).toBe(sign({ headline: `gave up after ${b} tries` }).signature);
      }),
    );
  });
});

describe('another failure has another signature:', () => {
  const base = sign({ facts: [fact('module_missing', 'express', { code: 'MODULE_NOT_FOUND' })] });

  test.each([
    ['another subject', sign({ facts: [fact('module_missing', 'fastify', { code: 'MODULE_NOT_FOUND' })] })],
    ['another kind', sign({ facts: [fact('native_module_broken', 'express', { code: 'MODULE_NOT_FOUND' })] })],
    ['another code', sign({ facts: [fact('module_missing', 'express', { code: 'ERR_MODULE_NOT_FOUND' })] })],
    ['another component', sign({ facts: [fact('module_missing', 'express', { code: 'MODULE_NOT_FOUND' })] }, { component: 'worker' })],
  ])('%s', (_what, other) => {
    expect(other.signature).not.toBe(base.signature);
  });

  test('another exit code, where nothing explains it', () => {
    expect(sign({}, { exitCode: 2 }).signature).not.toBe(sign({}, { exitCode: 1 }).signature);
    expect(sign({}, { exitCode: null, signal: 'SIGKILL' }).signature).not.toBe(sign({}, { exitCode: null, signal: 'SIGSEGV' }).signature);
  });

  test('another symptom, where nothing ended', () => {
    const silent = { exitCode: null, signal: null };
    expect(sign({}, { ...silent, symptom: 'not_ready' }).signature).not.toBe(sign({}, { ...silent, symptom: 'smoke' }).signature);
  });

  test('another place in the own code, for an exception that names nothing', () => {
    const at = (name: string) => sign({ facts: [fact('exception', 'TypeError')], frames: [frame('/srv/a.js', name, 1)] }).signature;
    expect(at('total')).not.toBe(at('discount'));
  });

  test('another name in quotes: it is the fix', () => {
    expect(sign({ headline: 'unknown option "20"' }).signature).not.toBe(sign({ headline: 'unknown option "21"' }).signature);
  });
});

describe('the deepest cause wins', () => {
  const wrapper = fact('exception', 'Error', { details: { message: 'boot failed' } });
  const lost = fact('connection_lost', 'db:5432');
  const missing = fact('path_missing', '/srv/app/config.yaml');
  const port = fact('port_in_use', '3000');

  test.each([
    ['a missing file over the exception that wraps it', [wrapper, missing], missing],
    ['a lost connection over the exception, wherever it stands', [lost, wrapper], lost],
    ['a named resource over a path', [missing, port], port],
    ['the first of two that are equally deep', [port, fact('env_missing', 'X')], port],
  ])('%s', (_what, facts, winner) => {
    expect(principalFact(facts)).toBe(winner);
  });

  test('nothing wins among nothing', () => {
    expect(principalFact([])).toBeNull();
  });

  test('how the process ended does not split a failure whose cause is known', () => {
    const facts = [missing];
    expect(sign({ facts }, { exitCode: 1 }).signature).toBe(sign({ facts }, { exitCode: null, signal: 'SIGABRT' }).signature);
  });
});

const partOf = (name: string, signed: ReturnType<typeof sign>) => signed.parts.find((part) => part.name === name)?.value;

describe('a part counts only where it tells something:', () => {
  const own = [frame('/srv/app/src/main.js', 'start', 3)];

  test('the same words of SQLite from two languages are two failures', () => {
    const facts = [fact('relation_missing', 'users', { runtime: 'sqlite', code: 'SQLITE_ERROR', details: { object: 'table' } })];
    const signed = sign({ facts, runtime: 'python' });
    expect(partOf('runtime', signed)).toBe('python/sqlite');
    expect(signed.signature).not.toBe(sign({ facts, runtime: 'node' }).signature);
  });

  test('a table and a column of one name are two things, and so are the columns of two tables', () => {
    const of = (details: Fact['details']) => partOf('subject', sign({ facts: [fact('relation_missing', 'name', { details })] }));
    expect([of({ object: 'table' }), of({ object: 'column' }), of({ object: 'column', table: 'users' })]).toEqual([
      'table name',
      'column name',
      'column users.name',
    ]);
  });

  test.each([
    ['a port', fact('port_in_use', '3000')],
    ['a host', fact('connection_refused', '127.0.0.1:40001')],
    ['a file in a folder that nobody names', fact('path_missing', '/tmp/svc-1/config.json')],
    ['nothing at all', fact('permission_denied', '')],
  ])('the place does, for %s', (_what, one) => {
    expect(partOf('place', sign({ facts: [one], frames: own }))).toBe('main.js#start');
  });

  test.each([
    ['a file of the checkout', fact('path_missing', '/srv/shop/config/app.yaml')],
    ['a file of the system', fact('path_missing', '/etc/ssl/certs/shop.pem')],
    ['a module', fact('module_missing', 'express')],
    ['what Grace found out itself', fact('port_in_use', '3000', { runtime: 'grace' })],
  ])('the place does not, for %s', (_what, one) => {
    expect(partOf('place', sign({ facts: [one], frames: own }))).toBe('');
  });

  test('without own code the place is the package that failed', () => {
    const driver = { ...frame('/srv/app/node_modules/pg/lib/client.js', 'connect', 1, true), package: 'pg' };
    expect(
      partOf('place', sign({ facts: [fact('timeout', '')], frames: [{ ...frame('node:net', '', 1, true), package: 'node' }, driver] })),
    ).toBe('pg');
  });

  test('the words do, where one kind has several complaints', () => {
    const saying = (line: string) => sign({ facts: [fact('config_invalid', 'a.json', { line })] }).signature;
    expect(saying('a.json: Unexpected end of JSON input')).not.toBe(saying('a.json: Expected double-quoted property name'));
    expect(saying('/srv/a/a.json:12: no value')).toBe(saying('/srv/b/a.json:77: no value'));
  });

  test('the words do not, for a name in the code, except when no stack tells the language', () => {
    const missing = (line: string, runtime: Fact['runtime']) =>
      sign({ facts: [fact('env_missing', 'DATABASE_URL', { line, runtime: 'unknown' })], runtime }).signature;
    expect(missing('DATABASE_URL: Required', 'node')).toBe(missing('please set DATABASE_URL', 'node'));
    expect(missing('DATABASE_URL: Required', 'unknown')).not.toBe(missing('please set DATABASE_URL', 'unknown'));
  });

  test('a sentence that was said inside a record counts, and not the record around it', () => {
    const inside = (line: string) => sign({ facts: [fact('timeout', '', { line, said: 'query timed out' })] }).signature;
    expect(inside('{"pid":1,"msg":"query timed out"}')).toBe(inside('{"msg":"query timed out","host":"a"}'));
  });

  test('what runs out is the same wherever it runs out, and with whatever last words', () => {
    const out = (line: string, name: string, area?: string) =>
      sign({
        facts: [fact('out_of_memory', '', { line, details: area === undefined ? {} : { area } })],
        frames: [frame('/srv/a.js', name, 1)],
      });
    expect(out('Reached heap limit', 'load').signature).toBe(out('Ineffective mark-compacts', 'save').signature);
    expect(out('', 'load', 'Java heap space').signature).not.toBe(out('', 'load', 'Metaspace').signature);
  });

  test.each([
    [{ exitCode: 1 }, ''],
    [{ exitCode: 3 }, 'exit:3'],
    [{ exitCode: null, signal: 'SIGABRT' }, ''],
    [{ exitCode: null, signal: 'SIGSEGV' }, 'signal:SIGSEGV'],
  ])('how an exception ended (%j) counts when it is not how exceptions end', (ended, outcome) => {
    expect(partOf('outcome', sign({ facts: [fact('exception', 'Error')] }, ended))).toBe(outcome);
  });

  test.each([
    ['which of many databases', fact('database_missing', 'tenant_12'), 'tenant_<n>'],
    ['which of many hosts, for a certificate', fact('certificate_problem', 'web01.shop.example'), 'web<n>.shop.example'],
    ['where a certificate lies', fact('certificate_problem', '/tmp/x/certs/a.pem'), 'certs/a.pem'],
    ['which user', fact('auth_failed', 'app0'), 'app<n>'],
    ['the database of a MySQL table', fact('relation_missing', 'shop7.users', { runtime: 'mysql' }), 'shop<n>.users'],
  ])('%s does not', (_what, one, subject) => {
    expect(partOf('subject', sign({ facts: [one] }))).toBe(subject);
  });

  test('the deeper of two causes of one kind wins', () => {
    const [outer, inner] = [fact('exception', 'Error'), fact('exception', 'TypeError', { depth: 1 })];
    expect(principalFact([outer, inner])).toBe(inner);
    expect(principalFact([inner, outer])).toBe(inner);
  });
});
