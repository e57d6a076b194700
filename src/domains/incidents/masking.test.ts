import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isFixedPath, maskAddress, maskName, maskPath, maskText } from './masking.ts';

describe('a sentence loses', () => {
  test.each([
    ['times', 'at 2026-11-22T03:04:05.678Z and 03:04:05', 'at <time> and <time>'],
    ['dates in words', 'on Thu Nov 26 05:00:00 2026, 26 Nov 2026 05:22:43.428 and 5:00:00 AM: late', 'on <time>, <time> and <time>: late'],
    ['the zone of a time', '2026-11-26 05:00:00.123 UTC [4711] FATAL', '<time> [<n>] FATAL'],
    ['durations', 'after 1m30s or 1.5s or 20ms', 'after <n> or <n> or <n>'],
    ['versions', 'built with v20.20.2', 'built with <n>'],
    ['which of many threads', 'in thread "pool-1-thread-3"', 'in thread "pool-<n>-thread-<n>"'],
    ['amounts, with their units', 'got 12 of 300 after 2.75s, 64MB', 'got <n> of <n> after <n>, <n>'],
    ['ids', 'request 550e8400-e29b-41d4-a716-446655440000 of 0x7ffe12ab', 'request <id> of <hex>'],
    ['digests and made-up names', 'commit 9f86d081884c7d65 by V1StGXR8Z5jdHi6B', 'commit <hex> by <id>'],
    ['addresses', 'connect to 10.0.0.5:5432, [::1]:80 or :::3000', 'connect to <addr>, <addr> or <addr>'],
    ['ports behind a host', 'db.internal:6000 is down', 'db.internal:<n> is down'],
    ['the folders above a file', "open '/srv/app-5306/config.json' or /tmp/svc-ck_xfyem/a.txt", "open 'config.json' or a.txt"],
    ['which of many users and databases', 'user "app0" on database "tenant_12"', 'user "app<n>" on database "tenant_<n>"'],
    ['who logs in where, in a URL', 'to postgres://me:pw@10.0.0.1:9999/shop7?x=1', 'to postgres://<user>@<addr>/shop<n>'],
    [
      'what a row held',
      "Duplicate entry 'a@b' for key 'users.email'; Key (email)=(a@b) exists",
      "Duplicate entry <value> for key 'users.email'; Key (email)=(<value>) exists",
    ],
    ['a long number in quotes', 'port "44019"', 'port "<n>"'],
  ])('%s', (_what, text, masked) => {
    expect(maskText(text)).toBe(masked);
  });
});

describe('a sentence keeps', () => {
  test.each([
    ['a quoted name', 'unknown option "colour2"'],
    ['a short number in quotes, which can be a name', 'unknown option "20"'],
    ['a status', 'request failed with status code 503'],
    ['a status with its reason', 'got 404 Not Found'],
    ['a constant', 'API_KEY_2 is not set'],
    ['an errno', 'failed (errno 13)'],
    ['an exit code', 'exit status 3'],
    ['the name of a type or a table', 'no such table: t.x1 (std::bad_alloc)'],
    ['the name of an algorithm', 'sha256 is not utf8'],
  ])('%s', (_what, text) => {
    expect(maskText(text)).toBe(text);
  });
});

describe('a path', () => {
  test.each([
    ['relative to where the service runs', 'locales/de/s3.json', 'locales/de/s3.json'],
    ['with numbers that stand alone', 'base/56839/54811', 'base/<n>/<n>'],
    ['in a checkout', '/home/me/shop/config/app.yaml', 'config/app.yaml'],
    ['in a release', '/srv/shop/releases/12/app.yaml', 'app.yaml'],
    ['in a temporary folder', '/tmp/svc-ck_xfyem/config.json', 'config.json'],
    ['that is a temporary folder', '/tmp/svc-udhi_hd0', '<tmp>'],
    ['that is a temporary file', '/tmp/app.1234.sock', 'app.<n>.sock'],
    ['of the system', '/etc/nginx/nginx.conf', 'nginx/nginx.conf'],
    ['of a bundle', '/srv/x/dist/main.3f2a1b7c.js', 'dist/main.<id>.js'],
    ['of a folder', '/srv/app/data/', 'app/data'],
  ])('%s keeps what is the same everywhere', (_what, path, masked) => {
    expect(maskPath(path)).toBe(masked);
  });

  test('is fixed when the program or the system says where it is', () => {
    expect(['config/app.yaml', '/etc/hosts', '/srv/app/x.json', '/tmp/x/y'].map(isFixedPath)).toEqual([true, true, false, false]);
  });
});

test('what is below a folder that was made up for one run does not tell which run', () => {
  const madeUp = fc.oneof(
    fc.stringMatching(/^svc-[a-z0-9_]{8}$/), // Python
    fc.stringMatching(/^tmp\.[A-Za-z0-9]{10}$/), // mktemp
    fc.stringMatching(/^svc-[A-Za-z0-9]{6}$/), // Node
    fc.stringMatching(/^svc[0-9]{9,19}$/), // Go, Java
    fc.stringMatching(/^d20261126-[0-9]{4}-[a-z0-9]{6}$/), // Ruby
    fc.stringMatching(/^php[A-Za-z0-9]{6}$/),
  );
  const root = fc.constantFrom('/tmp', '/var/tmp', '/dev/shm', '/srv/shop/tmp', '/run/user/1000');
  fc.assert(
    fc.property(root, madeUp, (below, folder) => {
      expect(maskPath(`${below}/${folder}`)).toBe('<tmp>');
      expect(maskPath(`${below}/${folder}/config.json`)).toBe('config.json');
      expect(maskPath(`${below}/${folder}/data/state.db`)).toBe('data/state.db');
      expect(maskText(`cannot read ${below}/${folder}/config.json`)).toBe('cannot read config.json');
    }),
  );
});

describe('an address', () => {
  test.each([
    ['a numbered host', 'db-0.svc.invalid:40123', 'db-<n>.svc.invalid'],
    ['this machine', 'localhost:40123', '<addr>'],
    ['an IPv6 address', '[::1]:8080', '<addr>'],
    ['the port of a known service', '127.0.0.1:5432', '<addr> postgres'],
    ['a second instance of it', '127.0.0.1:6380', '<addr> redis'],
    ['a socket file', '/tmp/x/pg.sock', 'pg.sock'],
  ])('of %s', (_what, address, masked) => {
    expect(maskAddress(address)).toBe(masked);
  });
});

test('a made-up part of a name goes as a whole', () => {
  expect(['api-7d9f8b6c5-web', 'tenant_12', 'users'].map(maskName)).toEqual(['api-<id>-web', 'tenant_<n>', 'users']);
});

test('the same sentence with another pid, port, host number and folder is the same', () => {
  const said = (pid: number, port: number, host: number, folder: string): string =>
    maskText(`worker ${pid}: cannot reach db-${host}.internal:${port}, see /tmp/${folder}/app.log and '/srv/${folder}/a.json'`);
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 10, max: 65_535 }),
      fc.nat(999),
      fc.stringMatching(/^[a-z0-9_]{8}$/),
      (pid, port, host, folder) => {
        expect(said(pid, port, host, folder)).toBe(said(1, 8080, 7, 'abcdefgh'));
      },
    ),
  );
});
