import { join } from 'node:path';
import { nodeClock } from '../adapters/node/clock.ts';
import { lockInstance } from '../adapters/node/instance-lock.ts';
import { openStore, StoreForeign, StoreTooNew, StoreUnwritable, type OpenedStore } from '../adapters/store/index.ts';
import { LAYERS } from '../domains/boot/index.ts';
import type { Emit } from '../domains/healing/index.ts';
import { messageOf } from '../kernel/index.ts';
import { nextBootId } from './boot/next-boot-id.ts';
import { Session, type SessionOptions, type SessionResult } from './boot/session.ts';
import { compose, type Composed } from './compose.ts';
import { keepFromOthers, makeDataDir } from './data-dir.ts';
import { onACopy } from './on-a-copy.ts';
import { openPolicies, type Policies } from './policy.ts';

export interface ServeOptions extends SessionOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly emit: Emit;
}

/**
 * Boots the service and stays in front of it until told to stop.
 * @throws StoreForeign, StoreTooNew, StoreUnwritable, AlreadyRunning: before anything was started
 */
export async function serve(options: ServeOptions): Promise<SessionResult> {
  const { config } = options;
  // Before anything is made or opened: a policy with a mistake leaves everything as it was.
  const policies = await openPolicies(config);
  if (options.until === 'dry-run') return rehearse(options, policies);
  const startedMs = nodeClock.monotonicMs();
  try {
    return await serveInFront(options, policies);
  } catch (error) {
    // Everything stands on the store: without it there is no boot whose report could say so.
    if (config.boot.mode === 'layered' && isAboutStore(error)) {
      const [{ number, title: layer } = { number: 1, title: '' }] = LAYERS;
      const durationMs = nodeClock.monotonicMs() - startedMs;
      options.emit({ type: 'layer_ended', number, layer, state: 'failed', durationMs, reasons: [messageOf(error)] });
    }
    throw error;
  }
}

function isAboutStore(error: unknown): boolean {
  return error instanceof StoreUnwritable || error instanceof StoreForeign || error instanceof StoreTooNew;
}

async function serveInFront(options: ServeOptions, policies: Policies): Promise<SessionResult> {
  const { config, signal } = options;
  try {
    makeDataDir(config.dataDir);
  } catch (error) {
    throw new StoreUnwritable(join(config.dataDir, 'grace.db'), error);
  }
  const release = lock(config.dataDir);
  let store: OpenedStore | undefined;
  let composed: Composed | undefined;
  const givenUp = new AbortController();
  try {
    store = await openStore(join(config.dataDir, 'grace.db'));
    keepFromOthers(config.dataDir);
    const id = await nextBootId(store);
    const either = AbortSignal.any([signal, givenUp.signal]);
    composed = await compose({ ...options, signal: either, ...policies, store, bootId: id, isDryRun: false, home: config.dataDir });
    return await new Session(options, composed, id, givenUp).run();
  } finally {
    await composed?.close();
    store?.close();
    release();
  }
}

/** A dry run looks at a copy of what Grace remembers: it takes no lock, changes nothing and leaves nothing behind. */
function rehearse(options: ServeOptions, policies: Policies): Promise<SessionResult> {
  return onACopy(options, policies, (copied, composed, id) => new Session(copied, composed, id).run());
}

function lock(dir: string): () => void {
  try {
    return lockInstance(dir);
  } catch (error) {
    if ((error as { code?: string }).code === 'GRACE_RUNTIME_ALREADY_RUNNING') throw error;
    throw new StoreUnwritable(join(dir, 'grace.db'), error);
  }
}
