import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGrace, startGrace } from './grace.ts';
import { freePort, newProject, write } from './project.ts';

const SERVER = `import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
JSON.parse(readFileSync('settings.json', 'utf8'));
createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT));
`;
const BROKEN = '{ "region": ';

/** A service that has booted well, and whose settings are broken since: in `normal` a boot puts them back. */
async function broken(): Promise<string> {
  const dir = newProject({ 'server.mjs': SERVER, 'settings.json': { region: 'eu-west-1' } });
  const port = await freePort();
  write(dir, {
    'grace.config.json': {
      components: {
        web: { command: [process.execPath, 'server.mjs'], port, env: { PORT: String(port) }, soak: '100ms', stop: { grace: '1s' } },
      },
    },
  });
  expect((await runGrace(dir, ['boot'])).code).toBe(0);
  write(dir, { 'settings.json': BROKEN });
  return dir;
}

const settings = (dir: string): string => readFileSync(join(dir, 'settings.json'), 'utf8');

async function boot(dir: string) {
  const grace = startGrace(dir, ['boot', '--json']);
  const { code } = await grace.ended;
  const chosen = grace.events().find((e) => e.type === 'playbook_chosen');
  return { code, verdict: chosen?.verdict, policies: chosen?.policies, said: grace.said() };
}

async function set(dir: string, mode: string, ...more: readonly string[]): Promise<void> {
  const { code, stderr } = await runGrace(dir, ['mode', 'set', mode, '--reason', 'a test', ...more]);
  expect(code, stderr).toBe(0);
}

test.each([
  ['observation_only', 'observe'],
  ['read_only', 'observe'],
  ['emergency', 'needs_approval'],
] as const)('a boot in %s does not put back what one in normal does: %s', async (mode, verdict) => {
  const dir = await broken();
  await set(dir, mode);
  const kept = await boot(dir);
  expect(kept, kept.said).toMatchObject({ code: 1, verdict, policies: [mode] });
  expect(settings(dir)).toBe(BROKEN);
});

test('a mode for a while ends by the clock, and the next boot mends again', async () => {
  const dir = await broken();
  await set(dir, 'observation_only', '--for', '1s');
  const mended = await bootUntilNormal(dir);
  expect(mended, mended.said).toMatchObject({ code: 0, verdict: 'allow_with_notice' });
  expect(JSON.parse(settings(dir))).toEqual({ region: 'eu-west-1' });
});

/** However long the commands take: the mode says by itself when its time is over. */
async function bootUntilNormal(dir: string) {
  for (;;) {
    const { mode } = JSON.parse((await runGrace(dir, ['mode', '--json'])).stdout) as { mode: string };
    if (mode === 'normal') return boot(dir);
  }
}
