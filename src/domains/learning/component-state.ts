import type { Signature } from '../../kernel/index.ts';
import type { Fingerprint, Values } from './fingerprint.ts';

/** A path of a component as it was at some moment. */
export interface PathTrace {
  readonly kind: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Keyed digest of a small file's content, target of a link; empty where neither is known. */
  readonly digest: string;
  readonly mtimeMs: number;
}

/** What the world of one component looked like: names, traits and keyed digests, never values or contents. */
export interface ComponentState {
  readonly component: string;
  readonly bootId: string;
  readonly atMs: number;
  readonly fingerprint: Fingerprint;
  readonly paths: Readonly<Record<string, PathTrace>>;
  /** Env file → variable → keyed digest of its value. */
  readonly envKeys: Readonly<Record<string, Values>>;
  /** `host:port` → whether something answered there; of what the failure names, and of dependencies. */
  readonly reachable: Readonly<Record<string, boolean>>;
}

/** A state in which a component failed in one way. */
export interface FailedState extends ComponentState {
  readonly signature: Signature;
}

/** Where states of failures that nobody has mended yet are kept, over restarts of Grace. */
export interface FailedStateStore {
  /** Of one component, oldest first. */
  load(component: string): Promise<readonly FailedState[]>;
  /** In place of what was kept for this failure. */
  replace(component: string, signature: Signature, states: readonly FailedState[]): Promise<void>;
  forget(component: string, signature: Signature): Promise<void>;
}

/** What was tried before the last failure shows in the ones before it; more would only cost room. */
export const FAILED_STATES_MAX = 4;
