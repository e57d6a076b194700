import type { SnapshotStore } from '../adapters/store/index.ts';
import type { BootStore } from '../domains/boot/index.ts';
import type { ApprovalStore } from '../domains/governance/index.ts';
import {
  PeopleLearner,
  type Emit,
  type Knowledge,
  type PlaybookLibrary,
  type PolicyPorts,
  type WhatChanged,
} from '../domains/healing/index.ts';
import type { Failure, IncidentStore } from '../domains/incidents/index.ts';
import {
  compareFingerprints,
  countRestless,
  fingerprintFrom,
  isPlainSetting,
  rankSuspects,
  restlessPaths,
  UNKNOWN_RESTLESSNESS,
  type CaseFile,
  type Captured,
  type FailedStateStore,
  type Fingerprint,
  type Restlessness,
} from '../domains/learning/index.ts';
import type { Journal, PlaybookStore } from '../domains/playbooks/index.ts';
import type { ComponentSpec } from '../domains/supervisor/index.ts';
import { messageOf, type Ids, type JsonObject } from '../kernel/index.ts';
import type { FingerprintSources, Fingerprinting } from './fingerprinting.ts';

export interface LookbackOptions extends FingerprintSources, PolicyPorts {
  readonly ids: Ids;
  readonly boots: BootStore;
  readonly incidents: IncidentStore;
  readonly playbooks: PlaybookStore;
  readonly approvals: ApprovalStore;
  readonly journal: Journal;
  readonly library: PlaybookLibrary;
  readonly failedStates: FailedStateStore;
  readonly snapshots: SnapshotStore;
  readonly emit: Emit;
  knowledge(): Promise<Knowledge>;
  /** When the process that runs now was started; null when that was an earlier Grace. */
  launchedAtMs(component: string): number | null;
}

const NOTHING: WhatChanged = { suspects: [], lessons: [] };
/** Addresses that a failure is about. */
const ADDRESSES_MAX = 5;
/** How things are right now. */
interface Present {
  readonly maps: Awaited<ReturnType<Fingerprinting['presentFiles']>>;
  readonly now: Fingerprint;
}

/** Looks back from a failure to the last good boot, and from a good boot to the failures before it. */
export class Lookback {
  readonly people: PeopleLearner;
  private readonly options: LookbackOptions;
  private looking: Promise<Fingerprinting> | null = null;
  private present: Promise<Present> | null = null;
  /** What the world looked like when something failed in this boot. */
  private atFailure: Fingerprint | null = null;
  private readonly seen = new Map<string, WhatChanged>();

  constructor(options: LookbackOptions) {
    this.options = options;
    this.people = new PeopleLearner({
      ...options,
      lessons: {
        load: async (component) => JSON.parse((await options.snapshots.get(component, 'lessons')) ?? '{}') as Record<string, string[]>,
        save: (component, lessons) => options.snapshots.put(component, 'lessons', options.bootId, JSON.stringify(lessons)),
      },
      goodState: async (component, addresses) => {
        const looking = await this.fingerprinting();
        // Not what was kept as good: of a file that is broken that holds an older copy, and a person would be taken to have mended it.
        const maps = await looking.presentFiles();
        return looking.stateOf(component, await looking.take(maps), maps.get(component.name) ?? [], addresses);
      },
      touched: async (from, to) => (await this.fingerprinting()).touched(from, to),
      hasCopy: async (component, path) => (await options.lastGood.entry(component, path))?.hasContent === true,
      restless: async (component) => restlessPaths(await this.restlessOf(component)),
      harmlessValue: async (component, name) => {
        const value = (await options.launchOf(component)).env[name];
        if (value === undefined || !isPlainSetting(name, value)) return null;
        return options.redactor.redact(`${name}=${value}`) === `${name}=${value}` ? value : null;
      },
      isOwn: (component, path) => {
        const at = path.startsWith('/') ? path : `${component.cwd}/${path}`;
        return [component.cwd, ...component.roots].some((root) => at.startsWith(`${root}/`)) || component.envFiles.includes(at);
      },
    });
  }

  /** What is different from the last verified boot, and keeps how it is now. */
  async whatChanged(captured: Captured, c: CaseFile): Promise<WhatChanged> {
    const { failure } = captured;
    const key = `${failure.component} ${failure.signature}`;
    const before = this.seen.get(key);
    // Between two attempts only Grace itself has changed something.
    if (before !== undefined && c.attempts.length > 0) return before;
    try {
      const found = await this.lookAtFailure(failure, c);
      this.seen.set(key, found);
      return found;
    } catch (error) {
      this.options.logger.warn('what changed could not be found out', { component: failure.component, error: messageOf(error) });
      return NOTHING;
    }
  }

  /** As of now; right after the files were taken as good (`verified`) they are not walked again. */
  async fingerprint(when: 'verified' | 'now'): Promise<Fingerprint> {
    const looking = await this.fingerprinting();
    return looking.take(await (when === 'verified' ? looking.keptFiles() : looking.presentFiles()));
  }

  /** Whether something failed in this boot, and what it looked like then. */
  failedFingerprint(): Fingerprint | null {
    return this.atFailure;
  }

  /** Runs what takes the files of a component as good, and counts those that are another each time, though nothing failed. */
  async noteRestless(spec: ComponentSpec, take: () => Promise<unknown>): Promise<void> {
    const { lastGood, snapshots, bootId } = this.options;
    const before = await lastGood.entries(spec.name);
    const isMending = await this.people.isWaiting(spec.name);
    await take();
    // Between a failure and the next good boot somebody has mended something: that is no restlessness.
    if (isMending || before.length === 0) return;
    const counts = countRestless(await this.restlessOf(spec.name), before, await lastGood.entries(spec.name));
    await snapshots.put(spec.name, 'restless', bootId, JSON.stringify(counts));
  }

  private async lookAtFailure(failure: Failure, c: CaseFile): Promise<WhatChanged> {
    const { boots, clock } = this.options;
    const looking = await this.fingerprinting();
    // Components that fail at the same time look at the same world.
    this.present ??= this.lookAround(looking).finally(() => (this.present = null));
    const { maps, now } = await this.present;
    this.atFailure = now;
    const good = await boots.lastVerified();
    const before = good === null || Object.keys(good.fingerprint).length === 0 ? null : fingerprintFrom(good.fingerprint);
    const [from, to] = [before, now].map((f) => f?.parts.git?.['commit'] ?? '');
    const suspects = rankSuspects({
      failure,
      component: c.component,
      changes: before === null ? [] : compareFingerprints(before, now),
      drift: c.drift,
      touched: before === null || from === to ? null : await looking.touched(from ?? '', to ?? ''),
      now,
      nowMs: clock.nowMs(),
    });
    const state = await looking.stateOf(c.component, now, maps.get(c.component.name) ?? [], addressesOf(failure, c.component));
    await this.people.remember({ ...state, signature: failure.signature }, c.component);
    return { suspects, lessons: await this.people.lessonsOf(failure.component, failure.signature) };
  }

  private async lookAround(looking: Fingerprinting): Promise<Present> {
    const maps = await looking.presentFiles();
    return { maps, now: await looking.take(maps) };
  }

  private async restlessOf(component: string): Promise<Restlessness> {
    const stored = await this.options.snapshots.get(component, 'restless');
    return stored === null ? UNKNOWN_RESTLESSNESS : (JSON.parse(stored) as Restlessness);
  }

  /** Loaded when it is first needed: never before a good boot is up. */
  private fingerprinting(): Promise<Fingerprinting> {
    this.looking ??= import('./fingerprinting.ts').then((m) => new m.Fingerprinting(this.options));
    return this.looking;
  }
}

/** What the failure could not reach; for a dependency, itself. */
function addressesOf(failure: Failure, component: ComponentSpec): readonly string[] {
  const named = failure.facts.flatMap((f) =>
    f.kind === 'connection_refused' || f.kind === 'connection_lost' || f.kind === 'timeout' ? [f.subject] : [],
  );
  const own = component.kind === 'dependency' && component.port !== null ? [`${component.host}:${component.port}`] : [];
  return [...new Set([...named, ...own])].filter((address) => /^[^\s/:]+:\d{1,5}$/.test(address)).slice(0, ADDRESSES_MAX);
}

/** As the store keeps it. */
export function asStored(fingerprint: Fingerprint): JsonObject {
  return fingerprint as unknown as JsonObject;
}
