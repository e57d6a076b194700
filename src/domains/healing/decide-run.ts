import { GraceError, messageOf } from '../../kernel/index.ts';
import type { Phase } from '../governance/index.ts';
import type { LoadedPlaybook, RegisteredPlaybook } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import { authorize, type Authorized } from './authorize.ts';
import { countedLately } from './counted-runs.ts';
import type { Emit } from './events.ts';
import type { HealerPorts } from './healer-ports.ts';

/** What a run of a playbook would be for. */
interface Occasion {
  readonly phase: Phase;
  /** Tries before this one. */
  readonly attempts: number;
  /** Of the failure; null where there is none. */
  readonly signature: string | null;
  /** Signatures that this failure has as well. */
  readonly alike: readonly string[];
  /** The person who wants it; null where Grace acts by itself. */
  readonly by: string | null;
  readonly signal: AbortSignal;
}

/** A playbook as it was loaded, with the hash of its bytes, and what was decided about running just that. */
export type DecidedRun = Authorized & { readonly playbook: LoadedPlaybook; readonly hash: string };

/**
 * Loads a playbook and decides on what was just loaded: an edit since it was registered cannot ride on old trust. Nothing is done.
 * @returns why it does not load
 */
export async function decideRun(
  ports: HealerPorts,
  registered: RegisteredPlaybook,
  component: ComponentSpec,
  { signal, ...occasion }: Occasion,
): Promise<DecidedRun | Error> {
  const loaded = await load(ports, registered);
  if (loaded instanceof Error) return loaded;
  const { primitives } = await ports.knowledge();
  const context = ports.primitiveContext(component, signal, () => undefined);
  const runs = await countedLately(ports);
  const asked = { registered, ...loaded, component: component.name, ...occasion, runs, primitives, context };
  return { ...loaded, ...(await authorize(ports, asked)) };
}

async function load({ library }: HealerPorts, { file }: RegisteredPlaybook): Promise<Pick<DecidedRun, 'playbook' | 'hash'> | Error> {
  try {
    return await library.load(file);
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error));
  }
}

/** What is wrong with a file that does not load, and what a person does about it. */
export function describeUnloadable(error: Error): string {
  return error instanceof GraceError && error.hint ? `${error.message}\n  ${error.hint}` : error.message;
}

export function tellChosen(
  emit: Emit,
  { name, file }: RegisteredPlaybook,
  { playbook: { risk }, tier, decision: { verdict, reason, policies } }: DecidedRun,
  component: ComponentSpec,
  generated: boolean,
): void {
  emit({
    type: 'playbook_chosen',
    component: component.name,
    playbook: name,
    generated,
    file,
    risk,
    tier,
    verdict,
    reason,
    policies,
  });
}
