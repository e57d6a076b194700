import { isAbsolute } from 'node:path';
import { messageOf, type Clock, type Files, type Ids, type Logger } from '../../kernel/index.ts';
import type { Decision } from '../governance/index.ts';
import { scoreShadow, type Captured, type SeenStep, type ShadowRecord, type ShadowStore } from '../learning/index.ts';
import { observeTargets, type PlaybookStore, type PrimitiveContext, type RegisteredPlaybook } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import { foresee, knowsSteps } from './foresee.ts';
import type { Emit } from './events.ts';
import type { Knowledge } from './knowledge.ts';

export interface ShadowPorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly files: Files;
  readonly shadows: ShadowStore;
  readonly playbooks: PlaybookStore;
  readonly emit: Emit;
  knowledge(): Promise<Knowledge>;
  primitiveContext(component: ComponentSpec, signal: AbortSignal, progress: (text: string) => void): PrimitiveContext;
  /** When the process that runs now was started; null when that is not known. */
  launchedAtMs(component: string): number | null;
}

interface Noted {
  readonly captured: Captured;
  readonly component: ComponentSpec;
  readonly registered: RegisteredPlaybook;
  readonly hash: string;
  readonly decision: Decision;
}

/** Looking must not hold up who heals or starts again. */
const LOOK_MS = 5000;
/** A picture is compared, not shown: of more than this only the fact that it is large would be kept. */
const PICTURE_CHARS_MAX = 20_000;

/**
 * Keeps what would have been done where it may not be, over restarts of Grace, and scores it once the component works again and
 * has done so for its soak time [GV-4]. One record for each playbook and failure, from the first sight of it to its end.
 */
export class Shadow {
  private readonly ports: ShadowPorts;
  /** By record: what its steps would have done when the component worked again, before that became the last good state. */
  private readonly ahead = new Map<string, readonly SeenStep[]>();

  constructor(ports: ShadowPorts) {
    this.ports = ports;
  }

  /** Nothing where it may run. Never throws: what cannot be kept is noted in the log, and healing goes on. */
  async note({ captured, component, registered, hash, decision }: Noted): Promise<void> {
    const { shadows, clock, ids, logger } = this.ports;
    if (decision.verdict === 'allow' || decision.verdict === 'allow_with_notice') return;
    try {
      const { signature, id: failureId, bootId } = captured.failure;
      const open = (await shadows.open(component.name)).find(
        (r) => r.playbook === registered.name && r.hash === hash && r.signature === signature,
      );
      const steps = knowsSteps(registered, hash) ? await this.look(registered, component) : null;
      if (open !== undefined) this.ahead.delete(open.id);
      const nowMs = clock.nowMs();
      await shadows.save({
        id: open?.id ?? ids.next('shd'),
        playbook: registered.name,
        hash,
        component: component.name,
        signature,
        failureId,
        bootId,
        verdict: decision.verdict,
        reason: decision.reason,
        firstAtMs: open?.firstAtMs ?? nowMs,
        lastAtMs: nowMs,
        seen: (open?.seen ?? 0) + (open?.failureId === failureId ? 0 : 1),
        first: open === undefined ? steps : open.first,
        last: steps,
        score: 'open',
        endedBy: null,
        endedAtMs: null,
        evidence: [],
      });
    } catch (error) {
      logger.warn('what would have been done could not be kept', { component: component.name, error: messageOf(error) });
    }
  }

  async isOpen(component: string): Promise<boolean> {
    return (await this.ports.shadows.open(component)).length > 0;
  }

  /**
   * Called when a component works again, before what is there now is kept as good: a step that puts things back as they were would
   * find everything in order afterwards, whatever a person had made of it. Never throws; `score` then looks by itself.
   */
  async lookAhead(component: ComponentSpec): Promise<void> {
    const { shadows, playbooks, logger } = this.ports;
    try {
      for (const record of await shadows.open(component.name)) {
        const registered = record.last === null ? null : await playbooks.get(record.playbook);
        if (record.last !== null && registered?.hash === record.hash)
          this.ahead.set(record.id, await this.look(registered, component, record.last));
      }
    } catch (error) {
      logger.warn('what would be done now could not be looked at', { component: component.name, error: messageOf(error) });
    }
  }

  /**
   * Called when a component is ready, works, and has been so for its soak time, after people's work was looked for.
   * @param lessons  by signature, what a person did
   */
  async score(component: ComponentSpec, lessons: ReadonlyMap<string, readonly string[]>): Promise<void> {
    const { shadows, clock, logger, emit } = this.ports;
    for (const record of await shadows.open(component.name)) {
      try {
        const ended = await this.end(record, component, lessons);
        this.ahead.delete(record.id);
        await shadows.save({ ...record, ...ended, endedAtMs: clock.nowMs() });
        emit({
          type: 'shadow_scored',
          component: component.name,
          playbook: record.playbook,
          record: record.id,
          score: ended.score,
          evidence: ended.evidence,
        });
      } catch (error) {
        logger.warn('what would have been done could not be scored', { component: component.name, error: messageOf(error) });
      }
    }
  }

  private async end(record: ShadowRecord, component: ComponentSpec, lessons: ReadonlyMap<string, readonly string[]>) {
    const { playbooks, launchedAtMs } = this.ports;
    const registered = await playbooks.get(record.playbook);
    const isSame = registered !== null && registered.hash === record.hash;
    const launched = launchedAtMs(component.name);
    const helpers = (await playbooks.runsSince(record.firstAtMs)).filter(
      (run) => run.component === component.name && (run.state === 'verified' || run.state === 'applied' || run.state === 'inconclusive'),
    );
    return scoreShadow(record, {
      now: isSame && record.last !== null ? (this.ahead.get(record.id) ?? (await this.look(registered, component, record.last))) : null,
      launchedAtMs: launched,
      person: lessons.get(record.signature) ?? null,
      helpers,
      writtenByService: await this.writtenSince(
        launched,
        (record.last ?? []).flatMap((s) => s.targets),
      ),
    });
  }

  /**
   * What the steps would do now, and how that looks which they would change. Touches nothing.
   * @param before  when given, the same places are looked at as then, so that the pictures can be compared
   */
  private async look(
    registered: RegisteredPlaybook,
    component: ComponentSpec,
    before: readonly SeenStep[] = [],
  ): Promise<readonly SeenStep[]> {
    const { primitives } = await this.ports.knowledge();
    const context = this.ports.primitiveContext(component, AbortSignal.timeout(LOOK_MS), () => undefined);
    const foreseen = await foresee(registered.steps, primitives, context);
    const seen: SeenStep[] = [];
    for (const [i, step] of foreseen.entries()) {
      // What a step has nothing to do with any more is looked at all the same: it may have been changed meanwhile.
      const primitive = primitives.get(step.primitive);
      const own = step.state === 'ready' ? step.targets : placesOf(registered.steps[i]?.params ?? {}, component);
      const looked = before[i]?.looked ?? own;
      const picture = primitive === undefined || looked.length === 0 ? {} : await observeTargets(primitive, looked, context);
      const text = JSON.stringify(picture);
      seen.push({
        ...step,
        looked,
        changesNothing: primitive?.changes === 'nothing',
        picture: text === '{}' || text.length > PICTURE_CHARS_MAX ? null : picture,
      });
    }
    return seen;
  }

  /** Of these paths, those that the service which runs now has written itself. */
  private async writtenSince(launchedAtMs: number | null, targets: readonly string[]): Promise<ReadonlySet<string>> {
    const written = new Set<string>();
    if (launchedAtMs === null) return written;
    for (const path of new Set(targets.filter((t) => isAbsolute(t)))) {
      const stat = await this.ports.files.stat(path);
      if (stat !== null && stat.kind !== 'directory' && stat.mtimeMs >= launchedAtMs) written.add(path);
    }
    return written;
  }
}

function placesOf({ path, file }: Readonly<Record<string, unknown>>, { cwd }: ComponentSpec): readonly string[] {
  return [path, file].flatMap((p) => (typeof p === 'string' ? [isAbsolute(p) ? p : `${cwd}/${p}`] : []));
}
