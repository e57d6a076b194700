import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { sweepLeftFolders } from '../adapters/databases/left-folders.ts';
import { nodeClock } from '../adapters/node/clock.ts';
import { openStore, type OpenedStore } from '../adapters/store/index.ts';
import type { BootId } from '../kernel/index.ts';
import { nextBootId } from './boot/next-boot-id.ts';
import { compose, type ComposeOptions, type Composed } from './compose.ts';
import type { Policies } from './policy.ts';

export type CopyOptions = Pick<ComposeOptions, 'config' | 'emit' | 'environment' | 'logger' | 'signal'>;

const COPY_PREFIX = 'grace-check-';
/** A dry run ends within minutes; an older copy, with all that Grace remembers in it, was left by one that was killed. */
const COPY_LEFT_MS = 60 * 60_000;

/**
 * Works with a copy of what Grace remembers of the service, as it is this moment. Nothing of it is kept, and what is really
 * there stays as it is, to the last byte.
 * @param work  is told the options with the data directory of the copy
 */
export async function onACopy<Options extends CopyOptions, T>(
  options: Options,
  policies: Policies,
  work: (options: Options, composed: Composed, id: BootId) => Promise<T>,
): Promise<T> {
  const { config } = options;
  await sweepLeftFolders(COPY_PREFIX, COPY_LEFT_MS, nodeClock.nowMs());
  const dataDir = mkdtempSync(join(tmpdir(), COPY_PREFIX));
  let store: OpenedStore | undefined;
  try {
    const real = join(config.dataDir, 'grace.db');
    if (existsSync(real)) await copyStore(real, join(dataDir, 'grace.db'));
    const kept = join(config.dataDir, 'storage');
    mkdirSync(join(dataDir, 'storage'));
    // What is moved aside would go to the copy; only what is read is shared.
    for (const name of existsSync(kept) ? readdirSync(kept) : [])
      if (name !== 'aside') symlinkSync(join(kept, name), join(dataDir, 'storage', name));
    store = await openStore(join(dataDir, 'grace.db'), false);
    const id = await nextBootId(store);
    const copied = { ...options, config: { ...config, dataDir } };
    return await work(
      copied,
      await compose({ ...copied, ...policies, store, bootId: id, isDryRun: true, isCopy: true, home: config.dataDir }),
      id,
    );
  } finally {
    store?.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** A database that nobody has open is copied as it lies: opening one leaves files beside it. */
async function copyStore(from: string, to: string): Promise<void> {
  if (!existsSync(`${from}-wal`)) return copyFileSync(from, to);
  const source = new DatabaseSync(from, { readOnly: true });
  try {
    await backup(source, to);
  } finally {
    source.close();
  }
}
