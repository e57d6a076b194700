import { expect, it } from 'vitest';
import { cleanLines, spokenAnswer } from '../../domains/incidents/index.ts';
import { readFacts } from './index.ts';

function kinds(...lines: readonly string[]): readonly string[] {
  return readFacts(lines).facts.map((fact) => `${fact.kind} <${fact.subject}>`);
}

it.each([
  'GET /orders 401 12 ms - 27',
  '10.0.0.1 - - [26/Nov/2026:05:00:00 +0000] "GET /x HTTP/1.1" 503 0',
  'imported 429 products, skipped 401',
  'error rate 403 per minute',
  'listening on /srv/app/run/app.sock',
  'node: 22.18.0',
  'npm run build finished in 503 ms',
  'the option --port is deprecated, use --listen',
  'Did you build a new project?',
  'usage: shop [--port PORT] (unknown options are passed on)',
])('%s says nothing that is wrong', (line) => {
  expect(kinds(line)).toEqual([]);
});

it('tells the options of several parsers from values', () => {
  expect(kinds("error: unknown option '--prot'")).toEqual(['unknown_option <--prot>']);
  expect(kinds('flag provided but not defined: -prot')).toEqual(['unknown_option <-prot>']);
  expect(kinds("error: unexpected argument '--prot' found")).toEqual(['unknown_option <--prot>']);
  expect(kinds('server.py: error: unrecognized arguments: --prot 3000')).toEqual(['unknown_option <--prot>']);
  expect(kinds("redis-server: unrecognized option '--prot'")).toEqual(['unknown_option <--prot>']);
});

it('reads the older words of a container of dependencies', () => {
  expect(kinds('Error: No matching bindings found for serviceIdentifier: Mailer')).toEqual(['wiring_broken <Mailer>']);
});

it('takes a full list of watched files for no full disk, and a socket for no port', () => {
  expect(kinds("Error: ENOSPC: System limit for number of file watchers reached, watch '/srv/app'")).toEqual(['watch_limit <>']);
  expect(kinds('Error: ENOSPC: no space left on device, write')).toEqual(['disk_full <>']);
  const fields = ["  code: 'EADDRINUSE',", "  syscall: 'listen',", "  address: '/srv/app/app.sock',", '  port: -1'];
  expect(kinds('Error: cannot start', ...fields)).not.toContain('port_in_use <-1>');
});

it('takes a module that a compiler does not find for missing, not for a mistake', () => {
  expect(kinds("src/a.ts(1,21): error TS2307: Cannot find module 'express' or its corresponding type declarations.")).toEqual([
    'module_missing <express>',
  ]);
});

it('reads every variable that Joi names on one line', () => {
  expect(kinds('Error: Config validation error: "PORT" must be a number. "API_URL" must be a valid uri')).toEqual([
    'config_invalid <PORT>',
    'config_invalid <API_URL>',
  ]);
});

it('believes the bundler only where it says what is wrong', () => {
  expect(kinds('Error: Build failed with 1 error:', 'src/a.ts:3:1: ERROR: Could not resolve')).toEqual(['compile_error <src/a.ts>']);
  expect(kinds('Error: Build failed with 1 error:', 'something else')).toEqual(['exception <Error>']);
});

it('reads a URL beside the status of an answer, and never what else stands in it', () => {
  expect(
    readFacts(['HTTPError: Request failed with status code 401 (Unauthorized): GET https://api.example/v1?key=hush']).facts[0]?.subject,
  ).toBe('https://api.example');
});

it('knows a message in a JSON answer by the words it has in a log', () => {
  const message = '[500] [IPX_ERROR] Could not load the "sharp" module using the linux-x64 runtime\nPossible solutions:\n- Ensure';
  const said = spokenAnswer(`http://127.0.0.1:80/: HTTP 500: ${JSON.stringify({ error: { message } }, null, 2).slice(0, -4)}`);
  expect(kinds(...cleanLines(said))).toEqual(['native_module_broken <sharp>']);
});
