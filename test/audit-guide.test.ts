// The guide says how to check a log without Grace: what it says has to suffice, and its program has to work.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openAuditLog } from '../src/adapters/store/audit/index.ts';
import { openStore } from '../src/adapters/store/index.ts';
import { listKeys, rotateKey } from '../src/apps/cli/audit-keys.ts';
import { exportAudit, proveEntry } from '../src/apps/cli/audit-prove.ts';
import { showEntry } from '../src/apps/cli/audit-show.ts';
import { withAudit, withOwnAudit } from '../src/apps/cli/audit-source.ts';

const GUIDE = join(import.meta.dirname, '..', 'docs/guide/audit.md');
const hasPython = spawnSync('python3', ['--version']).status === 0;
const openssl = spawnSync('openssl', ['version'], { encoding: 'utf8' });
const hasOpenssl = openssl.status === 0 && !/^OpenSSL [01]\./.test(openssl.stdout);

/** An exported log of some entries and a change of key, with a proof of one, and the program of the guide. */
async function anExport() {
  const folder = mkdtempSync(join(tmpdir(), 'grace-audit-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const dataDir = join(folder, '.grace');
  const path = join(dataDir, 'grace.db');
  (await openStore(path)).close();
  const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
  const log = await openAuditLog({ path, service: 'shop', clock, redact: (text) => text });
  for (let n = 0; n < 20; n++)
    await log.append({
      actor: 'grace',
      action: 'restart.begun',
      resource: 'component/wéb',
      subsystem: 'supervision',
      result: 'ok',
      payload: { n },
    });
  await log.close();
  await withOwnAudit({ dataDir }, (own) => rotateKey(own, 'ann'));
  const file = (name: string): string => join(folder, name);
  const keys = (await withAudit({ dataDir }, listKeys)).data as readonly { vkey: string }[];
  await withAudit({ dataDir }, async (source) => {
    await exportAudit(source, file('export'), true);
    writeFileSync(file('proof'), `${(await proveEntry(source, 13)).lines.join('\n')}\n`);
    for (const n of [12, 13]) writeFileSync(file(`entry-${n}`), `${(await showEntry(source, n, true)).lines.join('\n')}\n`);
  });
  const program = /^```python\n(.*?)^```$/ms.exec(readFileSync(GUIDE, 'utf8'))?.[1] ?? '';
  writeFileSync(file('check.py'), program);
  const check = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync('python3', [file('check.py'), ...args], { encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  return { file, check, first: keys[0]?.vkey ?? '', second: keys[1]?.vkey ?? '' };
}

describe.skipIf(!hasPython || !hasOpenssl)('the program in docs/guide/audit.md (needs Python and OpenSSL 3)', () => {
  test('finds an export good, by the key that signs now and by the one before it', async () => {
    const { file, check, first, second } = await anExport();
    for (const key of [first, second])
      expect(check(file('export'), key)).toMatchObject({ status: 0, stdout: expect.stringContaining('21 entries of grace/shop/') });
  });

  test('finds entries that were changed or removed, and a key of somebody else', async () => {
    const { file, check, first, second } = await anExport();
    const other = await anExport();
    expect(check(file('export'), other.first).status).toBe(1);
    const entries = readFileSync(file('export/entries.jsonl'), 'utf8');
    writeFileSync(file('export/entries.jsonl'), entries.replace('"n":7', '"n":8'));
    for (const key of [first, second]) expect(check(file('export'), key).status).toBe(1);
    writeFileSync(file('export/entries.jsonl'), entries.split('\n').slice(1).join('\n'));
    expect(check(file('export'), second).status).toBe(1);
  });

  test('takes the hash of an entry whose contents were dropped', async () => {
    const { file, check, second } = await anExport();
    const lines = readFileSync(file('export/entries.jsonl'), 'utf8').split('\n');
    const hashes = spawnSync('python3', ['-c', HASHES, file('export/entries.jsonl')], { encoding: 'utf8' }).stdout;
    writeFileSync(file('export/leaf-hashes'), hashes);
    lines[3] = '';
    writeFileSync(file('export/entries.jsonl'), lines.join('\n'));
    expect(check(file('export'), second).status).toBe(0);
    writeFileSync(
      file('export/leaf-hashes'),
      hashes
        .split('\n')
        .toSpliced(3, 1, hashes.split('\n')[4] ?? '')
        .join('\n'),
    );
    expect(check(file('export'), second).status).toBe(1);
  });

  test('finds an entry by its proof, and no other', async () => {
    const { file, check, first, second } = await anExport();
    expect(check(file('proof'), second, file('entry-13'))).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('entry 13 of the 21'),
    });
    expect(check(file('proof'), second, file('entry-12')).status).toBe(1);
    expect(check(file('proof'), first, file('entry-13')).status).toBe(1);
  });
});

const HASHES = `
import base64, hashlib, sys
for line in open(sys.argv[1], 'rb').read().split(b'\\n')[:-1]: print(base64.b64encode(hashlib.sha256(b'\\0' + line).digest()).decode())
`;
