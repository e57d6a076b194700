import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lockInstance } from '../../adapters/node/instance-lock.ts';
import { bootStore, openStore } from '../../adapters/store/index.ts';
import { aBoot, anApproval, aPlaybook } from '../cli/testing.ts';
import { openMemory as openCliMemory } from '../cli/memory.ts';
import { listPatterns } from '../cli/patterns.ts';
import { repositories } from '../../runtime/repositories.ts';
import { generatePlaybook, healthScore, openMemory, patterns, recordFailure, suggestions } from './index.ts';

function project(files: Readonly<Record<string, string>> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'grace-library-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries({ 'package.json': '{"name":"shop","scripts":{"start":"node server.js"}}', ...files }))
    writeFileSync(join(directory, name), text);
  return directory;
}

/** All that was written below a folder, the store included, as one text. */
function everythingIn(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

const missingTable = (table: string) =>
  Object.assign(new Error(`relation "${table}" does not exist`), { code: '42P01', severity: 'ERROR' });
const missingDirectory = (directory: string) =>
  Object.assign(new Error(`ENOENT: no such file or directory, open '${directory}/data/out.json'`), {
    code: 'ENOENT',
    errno: -2,
    syscall: 'open',
    path: `${directory}/data/out.json`,
  });

describe('recordFailure', () => {
  test('opens an incident the first time, and recognises it the second', async () => {
    const directory = project();
    await using memory = await openMemory({ directory });
    const first = await memory.recordFailure({ stage: 'Import orders', error: missingTable('orders') });
    expect(first).toMatchObject({ isNew: true, incident: `import_orders_${first.signature.slice(0, 8)}` });
    expect(first.cause).toContain('orders');
    expect(first.explanation).toMatchObject({ incident: first.incident, what: 'relation "orders" does not exist', outcome: 'open' });
    const again = await memory.recordFailure({ stage: 'Import orders', error: missingTable('orders') });
    expect(again).toMatchObject({ isNew: false, incident: first.incident });
    const other = await memory.recordFailure({ stage: 'Import orders', error: missingTable('users') });
    expect(other.isNew).toBe(true);
    const counted = Object.fromEntries((await memory.patterns()).map((p) => [p.incidentId, p.occurrences]));
    expect(counted).toEqual({ [first.incident]: 2, [other.incident]: 1 });
  });

  test('tells failures apart that are told in a sentence and nothing else', async () => {
    await using memory = await openMemory({ directory: project() });
    const tell = (message: string) => memory.recordFailure({ stage: 'bill', message });
    const tenant = await tell('the quota of tenant 17 is used up');
    expect((await tell('the quota of tenant 18 is used up')).incident).toBe(tenant.incident);
    const template = await tell('no template for invoices in this language');
    expect(template.incident).not.toBe(tenant.incident);
    expect(template.cause).toContain('no template for invoices');
    const thrown = await memory.recordFailure({ stage: 'bill', error: 'no ink' });
    expect([tenant.incident, template.incident]).not.toContain(thrown.incident);
  });

  test('says what is wrong with a call that no type has checked', async () => {
    const call = recordFailure as (failure?: unknown, options?: unknown) => Promise<unknown>;
    const options = { directory: project() };
    for (const wrong of [undefined, null, { stage: 'x', message: 5 }, { stage: 'x', output: ['a'] }])
      await expect(call(wrong, options)).rejects.toMatchObject({ code: 'GRACE_LIBRARY_INPUT_INVALID' });
  });

  test('makes no store in a folder that is not there', async () => {
    const directory = join(project(), 'mistyped');
    await expect(recordFailure({ stage: 'x', message: 'y' }, { directory })).rejects.toMatchObject({ code: 'GRACE_LIBRARY_INPUT_INVALID' });
    expect(existsSync(directory)).toBe(false);
  });

  test('reads the causes below what was thrown', async () => {
    const error = new Error('start failed', {
      cause: Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }),
    });
    const { cause, explanation } = await recordFailure({ stage: 'start', error }, { directory: project() });
    expect(cause).toContain('127.0.0.1:1');
    expect(explanation.commands.map((c) => c.command)).toContain('nc -vz -w 3 127.0.0.1 1');
  });

  test('takes an output and an exit code of something that ran elsewhere', async () => {
    const output =
      'Traceback (most recent call last):\n  File "job.py", line 3, in <module>\nModuleNotFoundError: No module named \'yaml\'';
    const { explanation } = await recordFailure({ stage: 'Nightly job', component: 'job', output, exitCode: 1 }, { directory: project() });
    expect(explanation).toMatchObject({ component: 'job', class: 'package_missing' });
  });

  test('suggests the playbook that a person wrote for it', async () => {
    const directory = project();
    await using memory = await openMemory({ directory });
    const { signature } = await memory.recordFailure({ stage: 'import', error: missingTable('orders') });
    mkdirSync(join(directory, 'playbooks'));
    // Where a service has installed it.
    const installed = join(directory, 'node_modules', 'grace-runtime');
    mkdirSync(installed, { recursive: true });
    writeFileSync(join(installed, 'package.json'), '{"name":"grace-runtime","type":"module","exports":"./index.js"}');
    writeFileSync(join(installed, 'index.js'), 'export const definePlaybook = (playbook) => playbook;');
    writeFileSync(
      join(directory, 'playbooks', 'bring_it_back.ts'),
      `import { definePlaybook } from 'grace-runtime';
export default definePlaybook({ name: 'bring_it_back', description: 'd', risk: 'low', tier: 'tier_1', service: 'boot_pipeline',
  match: { signature: '${signature}' }, params: {}, async run() {}, verify: {} });`,
    );
    expect((await recordFailure({ stage: 'import', error: missingTable('orders') }, { directory })).suggestedPlaybook).toBe(
      'bring_it_back',
    );
  });

  test.each([
    ['no stage', { stage: ' ', message: 'x' }, 'needs a stage'],
    ['nothing that failed', { stage: 'a' }, 'needs an error, a message or an output'],
    ['an exit code that is none', { stage: 'a', message: 'x', exitCode: 1.5 }, 'no whole number'],
    ['a component that nobody can be named', { stage: 'a', message: 'x', component: '../x' }, 'is named with letters'],
    ['a context that is no data', { stage: 'a', message: 'x', context: { n: 1n as unknown as number } }, 'cannot be stored'],
  ])('refuses %s, and stores nothing', async (_what, input, message) => {
    const directory = project();
    await expect(recordFailure(input, { directory })).rejects.toMatchObject({
      code: 'GRACE_LIBRARY_INPUT_INVALID',
      message: expect.stringContaining(message) as string,
    });
    expect(await patterns({ directory })).toEqual([]);
  });

  test('neither stores nor gives back a secret, wherever it stood', async () => {
    const directory = project({ '.env': 'SESSION_SECRET=canary-in-env-file-81f\n' });
    process.env['LIBRARY_TEST_TOKEN'] = 'canary-in-environment-72c';
    onTestFinished(() => void delete process.env['LIBRARY_TEST_TOKEN']);
    const canaries = ['canary-in-env-file-81f', 'canary-in-environment-72c', 'canary-in-url-55a', 'ghp_canary0000000000000000000000'];
    const told = await recordFailure(
      {
        stage: 'import',
        message: `login with ${canaries[0]} failed`,
        error: new Error(`cannot reach postgres://shop:${canaries[2]}@db/shop with ${canaries[1]}`),
        output: `token ${canaries[3]}`,
        context: { header: `Bearer ${canaries[1]}`, password: canaries[0] ?? '' },
      },
      { directory },
    );
    const [, stored] = [JSON.stringify(told), everythingIn(join(directory, '.grace'))];
    for (const canary of canaries) {
      expect(JSON.stringify(told)).not.toContain(canary);
      expect(stored).not.toContain(canary);
    }
    expect(stored).toContain('[redacted]');
  });

  test('shows nothing raw that a terminal would obey, and no half of a secret where a text is cut', async () => {
    const directory = project({ '.env': 'SESSION_SECRET=canary-in-env-file-81f\n' });
    const escape = '\u001B]0;owned\u0007\u001B[31m';
    const message = `${escape}${'x'.repeat(495)}canary-in-env-file-81f`;
    const output = `${'y'.repeat(100)}\n`.repeat(3000) + 'canary-in-env-file-81f\n'.repeat(20_000);
    const told = await recordFailure({ stage: `im${escape}port`, message, output }, { directory });
    // oxlint-disable-next-line no-control-regex -- looking for control characters is the point
    expect(JSON.stringify(told)).not.toMatch(/\\u00[01]|[\u0000-\u001F]/);
    expect(JSON.stringify(told) + everythingIn(join(directory, '.grace'))).not.toMatch(/canary|ry-in-env-file/);
  });

  test('counts each of several that are recorded at once', async () => {
    await using memory = await openMemory({ directory: project() });
    await Promise.all(Array.from({ length: 5 }, () => memory.recordFailure({ stage: 'import', error: missingTable('orders') })));
    expect(await memory.patterns()).toEqual([expect.objectContaining({ occurrences: 5 })]);
  });

  test('and each of several functions that are called at once', async () => {
    const directory = project();
    const [, , found] = await Promise.all([
      recordFailure({ stage: 'import', error: missingTable('orders') }, { directory }),
      recordFailure({ stage: 'import', error: missingTable('orders') }, { directory }),
      patterns({ directory }),
    ]);
    expect(found.length).toBeLessThan(2);
    expect(await patterns({ directory })).toEqual([expect.objectContaining({ occurrences: 2 })]);
  });

  test('what is no Error and no text is recorded all the same', async () => {
    const directory = project();
    for (const error of [{ code: 7 }, 'just text', 42, null, Symbol('s')])
      expect((await recordFailure({ stage: 'x', error }, { directory })).incident).toMatch(/^x_[0-9a-f]{8}$/);
  });
});

describe('generatePlaybook', () => {
  test('shows the source, and writes it only when asked', async () => {
    const directory = project();
    await using memory = await openMemory({ directory });
    const { incident, suggestedPlaybook } = await memory.recordFailure({ stage: 'export', error: missingDirectory(directory) });
    expect(suggestedPlaybook).not.toBeNull();
    const shown = await memory.generatePlaybook(incident);
    expect(shown).toMatchObject({ name: suggestedPlaybook, file: null });
    expect(shown.source).toContain("import { definePlaybook } from 'grace-runtime';");
    expect(existsSync(join(directory, 'playbooks'))).toBe(false);
    const written = await memory.generatePlaybook(incident, { write: true });
    expect(written.file).toBe(join(directory, 'playbooks', `${suggestedPlaybook}.ts`));
    expect(readFileSync(written.file ?? '', 'utf8')).toBe(written.source);
    expect(await memory.patterns()).toEqual([expect.objectContaining({ playbook: suggestedPlaybook, tier: 'tier_1', risk: 'low' })]);
    // What is there is given back, not written once more.
    writeFileSync(written.file ?? '', `// edited\n${written.source}`);
    expect((await memory.generatePlaybook(incident, { write: true })).source).toMatch(/^\/\/ edited/);
  });

  test('says what a person can do where no playbook can', async () => {
    const directory = project();
    const { incident } = await recordFailure({ stage: 'x', message: 'the moon is in the wrong house' }, { directory });
    await expect(generatePlaybook(incident, { directory })).rejects.toMatchObject({
      code: 'GRACE_LIBRARY_NO_REMEDY',
      hint: expect.any(String) as string,
    });
  });

  test('refuses an incident that nobody knows', async () => {
    await expect(generatePlaybook('x_00000000', { directory: project() })).rejects.toMatchObject({
      code: 'GRACE_LIBRARY_INCIDENT_UNKNOWN',
    });
  });
});

describe('a memory', () => {
  test('of a service that never booted is empty, and not poor', async () => {
    const directory = project();
    expect(await healthScore({ directory })).toMatchObject({ score: 'unknown', reason: 'no boot has finished yet' });
    expect(await patterns({ directory })).toEqual([]);
    expect(await suggestions({ directory })).toEqual([]);
  });

  test('tells what the commands tell', async () => {
    const directory = project();
    const { incident } = await recordFailure({ stage: 'import', error: missingTable('orders') }, { directory });
    const cli = await openCliMemory(join(directory, '.grace'));
    expect((await listPatterns(cli)).data).toEqual([expect.objectContaining({ incident })]);
    await cli.approvals.save(anApproval('ap_1', { expiresAtMs: Date.now() + 1000 }));
    await cli.playbooks.save(aPlaybook('trusted', { verifiedCount: 5 }));
    await cli.close();
    expect((await suggestions({ directory })).map((s) => s.kind)).toEqual(['approve']);
  });

  test('works beside a Grace that runs, and puts the failure into its boot', async () => {
    const directory = project();
    const dataDir = join(directory, '.grace');
    mkdirSync(dataDir);
    const unlock = lockInstance(dataDir);
    const grace = await openStore(join(dataDir, 'grace.db'));
    try {
      await bootStore(grace.db).save(aBoot('boot_20260601_110000', { outcome: 'running' }));
      await using memory = await openMemory({ directory });
      const { explanation } = await memory.recordFailure({ stage: 'import', error: missingTable('orders') });
      expect(explanation.boot).toBe('boot_20260601_110000');
      // Each sees at once what the other writes.
      expect(await repositories(grace).incidents.patterns()).toHaveLength(1);
      await bootStore(grace.db).save(aBoot('boot_20260601_110000'));
      expect(await memory.healthScore()).toMatchObject({ score: 'excellent', boots: 1, averageIssues: 1 });
    } finally {
      grace.close();
      unlock();
    }
  });

  test('that was closed says so, and waits for what was still going on', async () => {
    const directory = project();
    const memory = await openMemory({ directory });
    const going = memory.recordFailure({ stage: 'import', error: missingTable('orders') });
    await memory.close();
    await memory.close();
    expect((await going).isNew).toBe(true);
    await expect(memory.patterns()).rejects.toMatchObject({ code: 'GRACE_LIBRARY_MEMORY_CLOSED' });
  });

  test('has the playbooks that ship with Grace, as one that a boot has made', async () => {
    const directory = project();
    await healthScore({ directory });
    const store = await openStore(join(directory, '.grace', 'grace.db'));
    expect((await repositories(store).playbooks.list()).map((p) => p.name)).toContain('unlock_database');
    store.close();
  });

  test('reports every mistake of a configuration, and a store that is none', async () => {
    await expect(healthScore({ directory: project({ 'grace.config.json': '{"nme":"x"}' }) })).rejects.toMatchObject({
      code: 'GRACE_CONFIG_INVALID',
    });
    const directory = project();
    mkdirSync(join(directory, '.grace'));
    writeFileSync(join(directory, '.grace', 'grace.db'), 'this is no database, whatever its name says');
    await expect(healthScore({ directory })).rejects.toMatchObject({ code: 'GRACE_STORE_FOREIGN' });
  });

  test('lies where it is told to', async () => {
    const directory = project();
    await healthScore({ directory, dataDir: 'elsewhere' });
    expect(existsSync(join(directory, 'elsewhere', 'grace.db'))).toBe(true);
    expect(existsSync(join(directory, '.grace'))).toBe(false);
  });
});
