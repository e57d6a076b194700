import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { callerEnvironment } from './grace.ts';
import { send } from './processes.ts';
import { freePort, newProject, sick, write } from './project.ts';
import { until } from './waiting.ts';

const GRACE = join(import.meta.dirname, '..', '..', 'bin', 'grace.mjs');

/** Writes down every module as it is loaded. */
const HOOK = `import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
registerHooks({
  load(url, context, next) {
    appendFileSync(process.env.LOADED_TO, url + '\\n');
    return next(url, context);
  },
});
`;

/** Of the built Grace: what decides, acts and keeps, and is for a service that fails. The audit log is no part of it: a boot writes there. */
const FOR_HEALING =
  /^(?:cedar|playbook-runner|playbook-child|snapshots|record-failure|playbook-new|playbook-test|playbook-run|sandbox|workshop|audit-export|audit-verify|audit-prove)/;
/** What is known of failures is loaded once all is well, while its files are sure to be there: an upgrade in place may replace them. */
const KNOWN = /^(?:knowledge|primitives)/;

test.each([1, 2])('boot %d of a healthy service loads nothing that decides about, runs or keeps playbooks', async (boots) => {
  const port = await freePort();
  const dir = newProject({ 'hook.mjs': HOOK });
  write(dir, {
    'grace.config.json': {
      name: 'shop',
      components: { web: { command: sick('well'), port, env: { PORT: String(port) }, readiness: { http: '/' }, soak: '200ms' } },
    },
  });
  for (let boot = 1; boot <= boots; boot++) {
    const file = join(dir, `loaded-${boot}.txt`);
    const child = spawn(process.execPath, ['--import', join(dir, 'hook.mjs'), GRACE, 'up', '--json'], {
      cwd: dir,
      env: callerEnvironment({ LOADED_TO: file }),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    let said = '';
    let untilUp: readonly string[] | null = null;
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (untilUp === null && said.includes('"boot_ended"')) untilUp = loaded(file);
    });
    await until(
      'it is up, and settled',
      () => untilUp !== null && loaded(file).some((name) => KNOWN.test(name)),
      () => said,
    );
    if (child.pid !== undefined) send(child.pid, 'SIGTERM');
    await ended;
    expect(said).toContain('"outcome":"success"');
    expect((untilUp ?? []).length, 'the hook sees what is loaded').toBeGreaterThan(20);
    expect((untilUp ?? []).filter((name) => FOR_HEALING.test(name) || KNOWN.test(name))).toEqual([]);
    expect(loaded(file).filter((name) => FOR_HEALING.test(name))).toEqual([]);
  }
});

function loaded(file: string): readonly string[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((url) => url.includes('/dist/'))
    .map((url) => basename(url));
}
