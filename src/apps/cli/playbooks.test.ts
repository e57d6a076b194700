import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../kernel/index.ts';
import { listPlaybooks, setEnabled, showPlaybook } from './playbooks.ts';
import { aMemory, aPlaybook, asking } from './testing.ts';

const SOURCE = 'export default definePlaybook({});\n';

describe('grace playbooks', () => {
  it('shows the header, how it has done, and the source', async () => {
    await using memory = await aMemory();
    const file = join(memory.dataDir, 'p.ts');
    await writeFile(file, SOURCE);
    await memory.playbooks.save(aPlaybook('p', { file, hash: sha256Hex(SOURCE), verifiedCount: 3, failedCount: 1 }));
    const run = {
      playbook: 'p',
      hash: 'h',
      component: 'api',
      bootId: 'b',
      signature: null,
      failureId: null,
      scope: 'process' as const,
      confidence: 1,
      restart: true,
      decision: '',
      startedAtMs: 0,
      endedAtMs: 1000,
    };
    await memory.playbooks.saveRun({ ...run, id: 'r1', state: 'verified' });
    await memory.playbooks.saveRun({ ...run, id: 'r2', playbook: 'other', state: 'verified' });
    const { data, lines } = await showPlaybook(memory, 'p');
    expect(data).toMatchObject({
      risk_level: 'medium',
      autonomy_tier: 'tier_2',
      file_state: 'as registered',
      statistics: { verified: 4, failed: 1, success_rate: 0.8, runs: 1, mean_run_ms: 1000 },
      source: SOURCE,
    });
    expect(lines.at(-1)).toBe(SOURCE.trimEnd());
  });

  it('says when the file was changed or is gone', async () => {
    await using memory = await aMemory();
    const file = join(memory.dataDir, 'p.ts');
    await memory.playbooks.save(aPlaybook('p', { file }));
    expect((await showPlaybook(memory, 'p')).data).toMatchObject({ file_state: 'gone', source: null });
    await writeFile(file, SOURCE);
    expect((await showPlaybook(memory, 'p')).data).toMatchObject({ file_state: 'changed since it was registered' });
  });

  it('disables and enables, and says when it already was', async () => {
    await using memory = await aMemory();
    const file = join(memory.dataDir, 'p.ts');
    await writeFile(file, SOURCE);
    await memory.playbooks.save(aPlaybook('p', { file }));
    expect((await setEnabled(memory, 'p', false, asking(memory, 'ann'))).data).toMatchObject({ enabled: false, changed: true });
    expect(await memory.playbooks.get('p')).toMatchObject({ isEnabled: false, verifiedCount: 2 });
    expect((await listPlaybooks(memory)).lines.join('\n')).toContain('p (disabled)');
    expect((await setEnabled(memory, 'p', false, asking(memory, 'ann'))).data).toMatchObject({ changed: false });
    expect((await setEnabled(memory, 'p', true, asking(memory, 'ann'))).lines).toEqual(['p is now enabled']);
  });

  it('refuses to enable what has no file any more', async () => {
    await using memory = await aMemory();
    await memory.playbooks.save(aPlaybook('p', { isEnabled: false }));
    await expect(setEnabled(memory, 'p', true, asking(memory, 'ann'))).rejects.toMatchObject({ code: 'GRACE_CLI_PLAYBOOK_FILE_GONE' });
    expect(await memory.playbooks.get('p')).toMatchObject({ isEnabled: false });
  });

  it('refuses an unknown name', async () => {
    await using memory = await aMemory();
    await expect(setEnabled(memory, 'nope', false, asking(memory, 'ann'))).rejects.toMatchObject({ code: 'GRACE_CLI_NOT_KNOWN' });
  });
});
