import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nodeClock } from '../adapters/node/clock.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import { playbookLibrary } from '../adapters/node/playbook-library.ts';
import { openStore } from '../adapters/store/index.ts';
import { openAuditSource } from '../apps/cli/audit-source.ts';
import { Redactor } from '../domains/incidents/index.ts';
import { PrimitiveMisuse, type RunContext } from '../domains/playbooks/index.ts';
import { Audit } from './audit.ts';
import { auditedLibrary } from './audited-library.ts';

/** A real library, whose playbooks run in real processes without powers, and the log. */
async function aLibrary() {
  const dir = mkdtempSync(join(tmpdir(), 'grace-hostile-'));
  const path = join(dir, 'grace.db');
  (await openStore(path)).close();
  const audit = new Audit({ path, service: 'shop', clock: nodeClock, redactor: new Redactor(), onTrouble: () => undefined });
  onTestFinished(async () => {
    await audit.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const folder = playbookLibrary(join(dir, 'playbooks'), nodeFiles, {
    redact: (text) => text,
    logger: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    signal: new AbortController().signal,
    marks: { describe: 'test/describe', run: 'test/run' },
  });
  const library = auditedLibrary(folder, audit, 'grace');
  /** Runs it; what it asks for is outside its directories. */
  const run = async (code: string): Promise<unknown> => {
    const source = `import { definePlaybook } from 'grace-runtime';
export default definePlaybook({ name: 'hostile', description: 'd', risk: 'low', tier: 'tier_1', service: 'shop', match: { component: 'web' },
  params: {}, async run(ctx) { ${code} } });
`;
    const { file } = await library.write('hostile', source);
    const { playbook } = await library.load(file);
    const context: RunContext = {
      params: {},
      component: 'web',
      step: async (_name, _primitive, params) => {
        throw new PrimitiveMisuse('confine', `${JSON.stringify(params)} is outside the directories of web`);
      },
    };
    return playbook.run(context).catch((error: unknown) => error);
  };
  const entries = async (): Promise<readonly Record<string, unknown>[]> => {
    await audit.head();
    const source = await openAuditSource({ dataDir: dir });
    const found: Record<string, unknown>[] = [];
    for await (const batch of source.reader.entries(0, Infinity))
      for (const one of batch) found.push(JSON.parse(Buffer.from(one as Uint8Array).toString()) as Record<string, unknown>);
    source.close();
    return found;
  };
  return { run, entries };
}

test('a step outside the directories is written down, also when the playbook goes on as if nothing had been', async () => {
  const { run, entries } = await aLibrary();
  expect(await run(`try { await ctx.step('look', 'remove_file', { path: '/etc/passwd' }); } catch {}`)).toBeUndefined();
  expect(await entries()).toEqual([
    expect.objectContaining({
      action: 'security.step_refused',
      actor: 'grace',
      resource: 'component/web',
      result: 'denied',
      payload: expect.objectContaining({
        step: 'look',
        primitive: 'remove_file',
        params: { path: '/etc/passwd' },
        problem: expect.stringContaining('outside the directories') as unknown,
      }) as unknown,
    }),
  ]);
});

test.each([
  ['when it runs', `await import('node:fs');`],
  ['in code that is made from text', `Function('return 1')();`],
])('a power that its process does not have is written down: %s', async (_, code) => {
  const { run, entries } = await aLibrary();
  expect(await run(code)).toBeInstanceOf(Error);
  expect(await entries()).toEqual([
    expect.objectContaining({
      action: 'security.playbook_denied',
      result: 'denied',
      payload: expect.objectContaining({ file: expect.stringContaining('hostile.ts') as unknown }) as unknown,
    }),
  ]);
});

test('a playbook that speaks in the name of another run is ended, and written down', async () => {
  const { run, entries } = await aLibrary();
  await run(
    `let n = 0; (Object.prototype as any).toJSON = function () { return n++ > 0 ? this : { type: 'step', run: 'run_1', id: 9, name: 'x', primitive: 'set', params: {} }; };
     await ctx.step('x', 'remove_file', { path: 'y' });`,
  );
  expect(await entries()).toEqual([
    expect.objectContaining({
      action: 'security.playbook_cut_off',
      payload: expect.objectContaining({ problem: expect.stringContaining('makes no sense') as unknown }) as unknown,
    }),
  ]);
});
