import { existsSync, mkdirSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigProject } from './config/config-project.ts';
import { fingerprintNow } from './fingerprint-now.ts';

const HOUR_MS = 60 * 60_000;

test('a dry run removes copies that a killed one has left, and its own', async () => {
  using project = new ConfigProject({ 'grace.config.json': { components: { api: { command: ['node', 'api.js'] } } } });
  const temporary = join(project.dir, 'tmp');
  const before = process.env['TMPDIR'];
  for (const [name, ageMs] of [
    ['grace-check-old', HOUR_MS + 60_000],
    ['grace-check-young', HOUR_MS - 60_000],
  ] as const) {
    mkdirSync(join(temporary, name), { recursive: true });
    const at = new Date(Date.now() - ageMs);
    utimesSync(join(temporary, name), at, at);
  }
  process.env['TMPDIR'] = temporary;
  try {
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    await fingerprintNow({ config: await project.load(), environment: {}, logger });
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
  expect(readdirSync(temporary).filter((name) => name.startsWith('grace-check-'))).toEqual(['grace-check-young']);
  expect(existsSync(join(project.dir, '.grace'))).toBe(false);
});
