import { isAbsolute } from 'node:path';
import { messageOf } from '../../kernel/index.ts';
import type { LoadedPlaybook, PlaybookRun, RegisteredPlaybook } from '../playbooks/index.ts';
import type { Snapshot } from '../snapshots/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import { foresee, foreseeUnknown, knowsSteps } from './foresee.ts';
import type { HealerPorts } from './healer-ports.ts';

/**
 * Takes a snapshot of what a run is about to change, beside what its steps keep for their own undo [AH-4, PB-4]. Directories are
 * left to the steps: they move them aside as a whole.
 * @returns null when there is nothing to keep, or it could not be kept: people are told
 */
export async function keepBefore(
  ports: HealerPorts,
  run: PlaybookRun,
  { registered, playbook }: { readonly registered: RegisteredPlaybook; readonly playbook: LoadedPlaybook },
  component: ComponentSpec,
  signal: AbortSignal,
): Promise<Snapshot | null> {
  const { primitives } = await ports.knowledge();
  const context = ports.primitiveContext(component, signal, () => undefined);
  const foreseen = knowsSteps(registered, run.hash)
    ? await foresee(registered.steps, primitives, context)
    : await foreseeUnknown(playbook, primitives, context);
  const ready = foreseen.filter((step) => step.state === 'ready');
  const paths: string[] = [];
  for (const path of ready.flatMap((step) => step.targets).filter((target) => isAbsolute(target)))
    if ((await context.files.stat(path))?.kind !== 'directory') paths.push(path);
  const databases = ready.some((step) => primitives.get(step.primitive)?.touchesDatabase === true);
  if (paths.length === 0 && !databases) return null;
  const isRollback = foreseen.some((step) => primitives.get(step.primitive)?.needsSnapshot === true);
  try {
    const snapshots = await ports.snapshots();
    const reason = isRollback ? 'pre_rollback' : 'pre_heal';
    const { id: runId, bootId, signature } = run;
    const asked = { reason, runId, bootId, signature, playbook: run.playbook, paths, databases } as const;
    const snapshot = await snapshots.take(component, asked, signal);
    ports.emit({
      type: 'snapshot_taken',
      component: component.name,
      snapshot: snapshot.id,
      playbook: run.playbook,
      items: snapshot.items.length,
    });
    for (const { what, why } of databases ? snapshot.leftOut.slice(0, TOLD_MAX) : [])
      ports.emit({ type: 'notice', level: 'warn', text: `${what} is not in the snapshot ${snapshot.id}: ${why}` });
    return snapshot;
  } catch (error) {
    signal.throwIfAborted();
    ports.emit({
      type: 'notice',
      level: 'warn',
      text: `no snapshot before ${playbookOf(run)}: ${messageOf(error)}; ${isRollback ? 'without one it does nothing' : 'its steps keep what they change themselves'}`,
    });
    return null;
  }
}

const TOLD_MAX = 3;

function playbookOf({ playbook, component }: PlaybookRun): string {
  return `${playbook} on ${component}`;
}

/**
 * Puts back from the snapshot of a run what its undo could not. Files only: a database that is older than its data is for a person
 * to bring back.
 * @returns what was put back, and what to say about the rest
 */
export async function restoreWhatIsLeft(
  ports: HealerPorts,
  run: PlaybookRun,
  targets: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly restored: readonly string[]; readonly hint: string | null }> {
  try {
    const snapshots = await ports.snapshots();
    const snapshot = (await snapshots.list()).find((s) => s.runId === run.id);
    if (snapshot === undefined) return { restored: [], hint: null };
    const wanted = new Set(targets);
    const only = snapshot.items.flatMap((item) =>
      (item.kind === 'file' || item.kind === 'symlink') && wanted.has(item.path) ? [item.path] : [],
    );
    const { restored, verified } =
      only.length === 0 ? { restored: [], verified: false } : await snapshots.restore(snapshot.id, signal, { only, whileRunning: true });
    return { restored: verified ? restored : [], hint: `all of it is in ${snapshot.id}: grace snapshots show ${snapshot.id}` };
  } catch (error) {
    signal.throwIfAborted();
    return { restored: [], hint: `its snapshot could not be used: ${messageOf(error)}` };
  }
}
