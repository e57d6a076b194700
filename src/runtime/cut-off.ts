import { identityOf, marksStartingWith } from '../adapters/node/proc.ts';
import type { LimitStore } from '../domains/governance/index.ts';
import type { PlaybookStore } from '../domains/playbooks/index.ts';
import type { ProcessHost } from '../domains/supervisor/index.ts';
import { bootId } from '../kernel/index.ts';

/** The boot of what a person runs outside of any. */
export const NO_BOOT = bootId('none');

/** Marks that no component can have: their names begin with a letter or digit. */
export const CHECKS = '.checks';
const FIXES = '.fixes';
/** For a command of a killed Grace to end in order. */
const CUT_OFF_MS = 2000;

/**
 * What the fixes of this process are marked with. Beside a boot several commands may run one by hand, and each must be told from one
 * that was killed.
 */
export function fixesMark(boot: string): string {
  if (boot !== NO_BOOT) return `${FIXES}/${boot}`;
  return `${FIXES}/${boot}/${nameOf(process.pid) ?? process.pid}`;
}

/** A pid is given away again: with its start it is one process and no other. */
function nameOf(pid: number): string | null {
  const identity = identityOf(pid);
  return identity === null ? null : `${identity.pid}.${identity.startTicks}`;
}

export interface CutOffPorts {
  readonly host: Pick<ProcessHost, 'endAll'>;
  readonly installation: string;
  readonly playbooks: Pick<PlaybookStore, 'runsIn'>;
  readonly limits: Pick<LimitStore, 'isHeld' | 'forgetDeadLeases'>;
}

/** Ends what a killed Grace has left of its checks and of the fixes it had not finished. */
export async function endCutOff(ports: CutOffPorts): Promise<void> {
  const { host, playbooks, limits } = ports;
  // A command that runs one by hand may have been started beside a Grace that was killed since: it lives, and goes on.
  const boots = new Set<string>();
  const alive = new Set<string>([NO_BOOT]);
  for (const run of await playbooks.runsIn('running')) ((await limits.isHeld(run.component, run.id)) ? alive : boots).add(run.bootId);
  // A check that somebody else runs beside this boot goes on.
  const left = marksOf(ports, `${CHECKS}/`).filter((mark) => identityOf(Number.parseInt(mark.slice(CHECKS.length + 1))) === null);
  for (const mark of [CHECKS, ...left, ...[...boots].filter((boot) => !alive.has(boot)).map(fixesMark)])
    await host.endAll(mark, 'SIGTERM', CUT_OFF_MS);
  await endLeftByHand(ports);
  await limits.forgetDeadLeases();
}

/** Ends what commands that run something by hand have left, where they were killed. Of the others each goes on. */
export async function endLeftByHand(ports: Pick<CutOffPorts, 'host' | 'installation'>): Promise<void> {
  const byHand = `${FIXES}/${NO_BOOT}/`;
  for (const mark of marksOf(ports, byHand)) {
    const process = mark.slice(byHand.length);
    if (nameOf(Number.parseInt(process)) !== process) await ports.host.endAll(mark, 'SIGTERM', CUT_OFF_MS);
  }
}

function marksOf({ installation }: Pick<CutOffPorts, 'installation'>, prefix: string): readonly string[] {
  return [...marksStartingWith(`${installation}/${prefix}`)].map((mark) => mark.slice(installation.length + 1));
}
