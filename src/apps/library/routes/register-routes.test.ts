import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
const LIBRARY = pathToFileURL(join(ROOT, 'src', 'index.ts')).href;

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'grace-routes-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Runs a service of a few lines to its end. */
function run(code: string, env: Readonly<Record<string, string>> = {}): string {
  const program = `import { createRequire } from 'node:module';
const require = createRequire(${JSON.stringify(`${ROOT}/`)});
const { registerRoutes } = await import(${JSON.stringify(LIBRARY)});
${code}`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
}

const EXPRESS = `const app = require('express5')();
const { use } = app;
registerRoutes(app);
console.log(app.use === use);
app.get('/a', () => {});
`;

test('without Grace nothing is looked at, and nothing is changed', () => {
  expect(run(EXPRESS)).toBe('true\n');
});

test('the list is written where Grace reads it, once for all applications of a process, and keeps none alive', () => {
  const dir = folder();
  const code = `${EXPRESS}
const other = require('express4')();
registerRoutes(other);
other.post('/b', () => {});
registerRoutes(app);
registerRoutes({ getHttpAdapter: () => ({ getInstance: () => app }) });
setTimeout(() => {}, 600);`;
  expect(run(code, { GRACE_ROUTES_DIR: dir })).toBe('false\n');
  const [name = '', ...more] = readdirSync(dir);
  expect(more).toEqual([]);
  expect(name).toMatch(/^\d+-0\.json$/);
  expect(JSON.parse(readFileSync(join(dir, name), 'utf8'))).toEqual({
    version: 1,
    routes: [
      { method: 'GET', path: '/a', isWhole: true },
      { method: 'POST', path: '/b', isWhole: true },
    ],
    hidden: [],
    isComplete: true,
  });
});

test('whatever is given to it, and wherever it cannot write, the service goes on', () => {
  const dir = join(folder(), 'gone');
  const code = `const throwing = new Proxy(() => {}, { get() { throw new Error('hostile'); } });
for (const app of [undefined, null, 5, 'x', {}, [], () => {}, throwing, { getHttpAdapter() { throw new Error('no'); } }, { getHttpAdapter: () => null }])
  registerRoutes(app);
const later = require('express4')();
registerRoutes(later);
Object.defineProperty(later, '_router', { get() { throw new Error('later'); } });
setTimeout(() => console.log('goes on'), 400);`;
  expect(run(code, { GRACE_ROUTES_DIR: dir })).toBe('goes on\n');
  expect(existsSync(dir), 'it is not made anew').toBe(false);
});
