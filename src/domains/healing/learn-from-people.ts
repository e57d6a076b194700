import { resolve } from 'node:path';
import { messageOf, type Logger, type Signature } from '../../kernel/index.ts';
import type { Failure } from '../incidents/index.ts';
import {
  FAILED_STATES_MAX,
  isSameState,
  lessonFrom,
  rankSuspects,
  stateDifferences,
  type ComponentState,
  type FailedState,
  type FailedStateStore,
  type Lesson,
  type StateDifference,
} from '../learning/index.ts';
import type { Journal } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import { offerCandidate, type CandidatePorts, type Learned } from './candidate-playbook.ts';
import type { Emit, GraceEvent } from './events.ts';

export interface PeopleLearnerPorts extends CandidatePorts {
  readonly logger: Logger;
  readonly journal: Journal;
  readonly failedStates: FailedStateStore;
  readonly lessons: LessonStore;
  readonly emit: Emit;
  /** What works now, asked at the same addresses as when it failed. */
  goodState(component: ComponentSpec, addresses: readonly string[]): Promise<ComponentState>;
  /** What the commits between two touched; null when that is not known. */
  touched(from: string, to: string): Promise<readonly string[] | null>;
  /** Whether the copies of the last good boot hold this file's content. */
  hasCopy(component: string, path: string): Promise<boolean>;
  /** Paths that differ between good boots as well. */
  restless(component: string): Promise<ReadonlySet<string>>;
  /** When the process that runs now was started; null when that was an earlier Grace. */
  launchedAtMs(component: string): number | null;
  /** The value of a variable, when it may be written into a playbook; null for secrets. */
  harmlessValue(component: ComponentSpec, name: string): Promise<string | null>;
  /** Whether a path lies in the directories of a component. */
  isOwn(component: ComponentSpec, path: string): boolean;
}

/** What people did about a failure the last time, for whoever meets it again. */
export interface LessonStore {
  load(component: string): Promise<Readonly<Record<string, readonly string[]>>>;
  save(component: string, lessons: Readonly<Record<string, readonly string[]>>): Promise<void>;
}

/** A failure that nobody has mended for this long has been forgotten by everybody. */
const STATE_LIFE_MS = 30 * 86_400_000;
/** Failures of one component that wait for somebody beside the newest one; what fails in ever new ways is not mended by chance. */
const OTHER_FAILURES_MAX = 5;
const NAMED_AT_LEAST = 0.75;

/**
 * Learns from people: a component failed, somebody changed something, and it works. The difference is kept as a candidate
 * playbook, which is offered and never runs before it was approved.
 */
export class PeopleLearner {
  private readonly ports: PeopleLearnerPorts;

  constructor(ports: PeopleLearnerPorts) {
    this.ports = ports;
  }

  /** Keeps what the world looked like when it failed, before anything is done about it. */
  async remember(state: FailedState, component: Pick<ComponentSpec, 'cwd'>): Promise<void> {
    const { failedStates } = this.ports;
    const all = await failedStates.load(state.component);
    const before = all.filter((s) => s.signature === state.signature);
    const last = before.at(-1);
    // Tried again and again while somebody is waited for: the same state counts once.
    const others = last !== undefined && isSameState(last, state, component.cwd) ? before.slice(0, -1) : before;
    await failedStates.replace(state.component, state.signature, [...others, state].slice(-FAILED_STATES_MAX));
    const signatures = [...new Set(all.filter((s) => s.signature !== state.signature).map((s) => s.signature))];
    for (const signature of signatures.slice(0, Math.max(0, signatures.length - OTHER_FAILURES_MAX)))
      await failedStates.forget(state.component, signature);
  }

  /** Whether a component has failed in a way that nobody has mended yet. */
  async isWaiting(component: string): Promise<boolean> {
    return (await this.ports.failedStates.load(component)).length > 0;
  }

  /** What a person did about this failure before, in sentences; empty when nobody did. */
  async lessonsOf(component: string, signature: Signature): Promise<readonly string[]> {
    return (await this.ports.lessons.load(component))[signature] ?? [];
  }

  /**
   * Called when a component is ready, works, and has been so for its soak time.
   * @returns by signature, what a person did about a failure; not those that nobody's work was seen in
   */
  async learn(component: ComponentSpec, components: readonly ComponentSpec[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const lessons = new Map<string, readonly string[]>();
    const states = await this.ports.failedStates.load(component.name);
    for (const [signature, all] of Map.groupBy(states, (s) => s.signature)) {
      let told: GraceEvent | null = null;
      try {
        const others = states.filter((s) => s.signature !== signature && s.atMs > (all.at(-1)?.atMs ?? 0));
        told = await this.learnFrom(component, components, signature, all, others);
      } catch (error) {
        this.ports.logger.warn('a fix by hand could not be learned from', { component: component.name, error: messageOf(error) });
      }
      // Whatever came of it: it works now, and the next failure is another story.
      await this.ports.failedStates.forget(component.name, signature);
      // Told once it is settled: who stops Grace now does not make it learn the same again.
      if (told !== null) this.ports.emit(told);
      if (told?.type === 'learned_from_person') lessons.set(signature, told.did);
    }
    return lessons;
  }

  private async learnFrom(
    component: ComponentSpec,
    components: readonly ComponentSpec[],
    signature: Signature,
    all: readonly FailedState[],
    later: readonly FailedState[],
  ): Promise<GraceEvent | null> {
    const { clock, incidents } = this.ports;
    const states = all.filter((s) => clock.nowMs() - s.atMs < STATE_LIFE_MS);
    const last = states.at(-1);
    const pattern = await incidents.pattern(signature);
    const [failure] = await incidents.failuresLike(signature, 1);
    if (last === undefined || pattern === null || failure === undefined) return null;
    const since = await this.runsSince(component.name, last.atMs);
    if (since.some((run) => run.signature === signature)) return null; // Grace has mended it
    const good = await this.ports.goodState(component, Object.keys(last.reachable));
    const [from, to] = [last, good].map((s) => s.fingerprint.parts.git?.['commit'] ?? '');
    const touched = from === to ? [] : await this.ports.touched(from ?? '', to ?? '');
    const byGrace = await this.doneByGrace(component, since);
    const differences = stateDifferences({
      failed: states,
      later,
      good,
      cwd: component.cwd,
      touched,
      launchedAtMs: this.ports.launchedAtMs(component.name),
      restless: await this.ports.restless(component.name),
      isNamed: (path) => isNamed(failure, component, path),
    }).filter((d) => !byGrace(d));
    const lesson = await this.lessonOf(component, components, failure, differences, touched, since.length > 0);
    return lesson === null ? null : this.keep({ component, pattern, failure, lesson, from: last.bootId, to: good.bootId });
  }

  private async lessonOf(
    component: ComponentSpec,
    components: readonly ComponentSpec[],
    failure: Failure,
    differences: readonly StateDifference[],
    touched: readonly string[] | null,
    wasTreated: boolean,
  ): Promise<Lesson | null> {
    const { ports } = this;
    const { primitives } = await ports.knowledge();
    const copies = new Set<string>();
    const values = new Map<string, string>();
    for (const d of differences) {
      if (d.kind === 'path' && (await ports.hasCopy(component.name, d.path))) copies.add(d.path);
      if (d.kind !== 'fingerprint' || d.change.kind !== 'env' || d.change.change === 'removed') continue;
      const name = d.change.subject.slice(component.name.length + 2);
      const value = await ports.harmlessValue(component, name);
      if (value !== null) values.set(name, value);
    }
    return lessonFrom({
      failure,
      component,
      components,
      differences,
      touched,
      nowMs: ports.clock.nowMs(),
      wasTreated,
      hasCopy: (path) => copies.has(path),
      valueOf: (name) => values.get(name) ?? null,
      isPossible: (step) => {
        const path = step.params['path'] ?? step.params['file'];
        if (typeof path === 'string' && !ports.isOwn(component, path)) return false;
        try {
          primitives.get(step.primitive)?.parse(step.params);
          return primitives.has(step.primitive);
        } catch {
          return false; // named like a secret, or loads code: for a person, then
        }
      },
    });
  }

  private async keep(learned: Learned): Promise<GraceEvent> {
    const { incidents, lessons } = this.ports;
    const { component, pattern, failure, lesson } = learned;
    await lessons.save(component.name, { ...(await lessons.load(component.name)), [pattern.signature]: lesson.did });
    const candidate = lesson.steps.length === 0 ? null : await offerCandidate(this.ports, learned);
    const [explanation] = (await incidents.explanations({ signature: pattern.signature, limit: 20 })).filter(
      (e) => e.failureId === failure.id,
    );
    if (explanation !== undefined && explanation.outcome !== 'healed') {
      const told = `a person mended it: ${lesson.did.join('; ')}`;
      await incidents.saveExplanation({ ...explanation, advice: [told, ...explanation.advice.filter((a) => a !== told)] });
    }
    return {
      type: 'learned_from_person',
      component: component.name,
      incident: pattern.incidentId,
      cause: pattern.rootCause === '' ? pattern.template : pattern.rootCause,
      did: lesson.did,
      playbook: candidate?.playbook.name ?? null,
      approval: candidate?.approval ?? null,
    };
  }

  private async runsSince(component: string, atMs: number) {
    const runs = await this.ports.playbooks.runsIn('verified', 'applied');
    return runs.filter((run) => run.component === component && run.startedAtMs >= atMs);
  }

  /** What Grace itself changed meanwhile, for another failure, is no person's work. */
  private async doneByGrace(
    component: ComponentSpec,
    runs: readonly { readonly id: string }[],
  ): Promise<(difference: StateDifference) => boolean> {
    const words = new Set<string>();
    const powers = new Set<string>();
    for (const run of runs)
      for (const entry of await this.ports.journal.entries(run.id)) {
        powers.add(entry.primitive);
        for (const value of Object.values((entry.params ?? {}) as Record<string, unknown>).flat())
          if (typeof value === 'string') words.add(value).add(resolve(component.cwd, value));
      }
    return (d) => {
      switch (d.kind) {
        case 'path':
          return words.has(d.path);
        case 'env_key':
          return words.has(d.key);
        case 'reachable':
          return powers.has('start_dependency');
        case 'fingerprint':
          return (
            (d.change.kind === 'package' && (powers.has('install_packages') || powers.has('rebuild_packages'))) ||
            (d.change.kind === 'schema' && (powers.has('run_migrations') || powers.has('restore_tables'))) ||
            (d.change.kind === 'limit' && (powers.has('raise_heap_limit') || powers.has('raise_open_files'))) ||
            (d.change.kind === 'port' && powers.has('free_port')) ||
            (d.change.kind === 'env' && words.has(d.change.subject.slice(component.name.length + 2)))
          );
      }
    };
  }
}

function isNamed(failure: Failure, component: ComponentSpec, path: string): boolean {
  const changes = [{ kind: 'file', subject: path, change: 'changed', detail: '' }] as const;
  const [suspect] = rankSuspects({ failure, component, changes, drift: [], touched: null, now: null, nowMs: 0 });
  return (suspect?.weight ?? 0) >= NAMED_AT_LEAST;
}
