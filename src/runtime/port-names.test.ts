import { expect, test } from 'vitest';
import { preflightSettings } from '../domains/preflight/testing.ts';
import { component, httpProbe } from '../domains/supervisor/testing.ts';
import type { ComponentSpec } from '../domains/supervisor/index.ts';
import { portNames, type PortNamers } from './port-names.ts';

function named(port: number, components: readonly ComponentSpec[], change: Partial<PortNamers> = {}): readonly string[] {
  const preflight = preflightSettings({ vault: 'none' });
  const namers = { components, smoke: [], preflight, api: { host: '127.0.0.1', port: 7420 }, environments: new Map(), ...change };
  return portNames(port, 'api', 'PORT', namers);
}

test('the variable that tells the component its port is no other name of it, and any other is', () => {
  const api = component({ env: { PORT: '3000', PUBLIC_URL: 'http://localhost:3000/' } });
  const web = component({ name: 'web', env: { PORT: '3000' } });
  expect(named(3000, [component({ env: { PORT: '3000' } })])).toEqual([]);
  expect(named(3000, [api, web])).toEqual(['component api (PUBLIC_URL)', 'component web (PORT)']);
});

test('the environment that a component really has counts in the place of what the configuration says', () => {
  const environments = new Map([['web', { API_URL: 'http://api:3000' }]]);
  expect(named(3000, [component({ name: 'web', env: { OLD: '3000' } })], { environments })).toEqual(['component web (API_URL)']);
});

test('ports, probes, commands and databases of all components count, those of dependencies too', () => {
  const tcp = httpProbe({ target: { kind: 'tcp', host: '127.0.0.1', port: 3000 } });
  const command = httpProbe({ target: { kind: 'command', argv: ['curl', '-f', 'localhost:3000'] } });
  const api = component({ port: 3000, startup: tcp, readiness: httpProbe(), liveness: command });
  const web = component({ name: 'web', command: ['serve', '-p3000'], migrate: ['migrate', '--port=3000'] });
  const db = component({ name: 'db', kind: 'dependency', port: 3000, database: 'postgres://u@h:3000/d' });
  expect(named(3000, [api, web, db])).toEqual([
    'port of api',
    'startup probe of api',
    'readiness probe of api',
    'liveness probe of api',
    'command of web',
    'migrations of web',
    'port of db',
    'database of db',
  ]);
  expect(named(3001, [api, web, db])).toEqual([]);
});

test('smoke checks, preflight checks and the API of Grace count', () => {
  const smoke = [{ name: 'home', target: httpProbe().target, timeoutMs: 1, critical: true, everyMs: null, component: null }];
  expect(named(3000, [], { smoke })).toEqual(['smoke check "home"']);
  expect(named(7420, [], { smoke })).toEqual(['the API of Grace']);
});

test.each([
  '3000',
  ' 3000 ',
  ':3000',
  '0.0.0.0:3000',
  '[::1]:3000',
  'http://h:3000/x',
  '--port=3000',
  '-p3000',
  'a -p3000',
  'a,3000,b',
  '03000',
])('%s names port 3000', (value) => expect(named(3000, [component({ env: { A: value } })])).toEqual(['component api (A)']));

test.each(['', '30000', '13000', 'http://h:30001', 'a3000', '3000ms', '1.3000', '3000.5', 'http://h/'])('%s does not', (value) =>
  expect(named(3000, [component({ env: { A: value } })])).toEqual([]),
);

test('a URL without a port names that of its protocol', () => {
  const env = { A: 'http://h/x', B: 'https://u@h', C: 'HTTP://[::1]', D: 'http://h:8080/' };
  expect(named(80, [component({ env })])).toEqual(['component api (A)', 'component api (C)']);
  expect(named(443, [component({ env })])).toEqual(['component api (B)']);
});
