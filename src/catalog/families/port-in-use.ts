import type { CaseFile, Diagnosis, FailureFamily } from '../../domains/learning/index.ts';
import { factsOf } from '../../domains/learning/index.ts';
import type { PortHolder } from '../../domains/playbooks/index.ts';
import {
  diagnosis,
  isRuntime,
  LIKELY,
  linesOf,
  PERHAPS,
  PLAUSIBLE,
  remedy,
  remedyInPlace,
  step,
  SURE,
  WORDS_ONLY,
  ONE_WAY,
} from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';

/** How long a port may take to become free after its holder was told to go. */
const PORT_WAIT_MS = 30_000;

/**
 * Somebody else has the port. Only an old copy of the component that nobody looks after is ever ended; whoever else has
 * the port is named, and waited for. Some services exit 0, or go on without their port, and say nothing: so the port is
 * looked at whatever the output says.
 */
export const portInUse: FailureFamily = {
  name: 'port_in_use',
  title: 'the port is taken',
  async diagnose(c) {
    const facts = factsOf(c, 'port_in_use');
    const seen = c.failure.context['port'];
    const own = c.component.port ?? (typeof seen === 'number' ? seen : null);
    const ports = new Set(facts.map((f) => Number(f.subject)).filter((port) => Number.isInteger(port) && port > 0));
    if (facts.some((f) => f.subject === '') && own !== null) ports.add(own);
    const isSaid = (port: number): boolean => facts.some((f) => Number(f.subject) === port || f.subject === '');
    if (own !== null && LOOKS_AT_PORT.has(c.failure.symptom)) ports.add(own);
    const found: Diagnosis[] = [];
    for (const port of ports) {
      const answer = await diagnosePort(c, port, isSaid(port));
      if (answer !== null) found.push(answer);
    }
    if (ports.size === 0 && facts.length > 0)
      found.push(
        diagnosis('port_in_use', {
          cause: `a port that ${c.component.name} listens on is in use`,
          confidence: WORDS_ONLY,
          evidence: linesOf(facts),
          advice: [`say in the configuration of Grace which port ${c.component.name} has, then it can tell who holds it`],
        }),
      );
    return found;
  },
  guard: (g) => guardOfSteps('port_in_use', g),
};

const LOOKS_AT_PORT: ReadonlySet<string> = new Set(['exit', 'not_ready', 'wrong_process', 'smoke', 'spawn', 'crash_loop']);

async function diagnosePort(c: CaseFile, port: number, isSaid: boolean): Promise<Diagnosis | null> {
  const lines = linesOf(factsOf(c, 'port_in_use'));
  const holder = await c.host.portHolder(port, c.component.name);
  if (holder === null) return isSaid && !isRuntime(c) ? portWasTaken(c, port, lines) : null;
  if (isItself(c, holder)) return null;
  const evidence = [describeHolder(port, holder), ...lines];
  switch (holder.relation) {
    case 'own_stale':
      return diagnosis('port_in_use', {
        cause: `port ${port} is in use by pid ${holder.pid}, an old copy of ${c.component.name} that nobody looks after any more`,
        confidence: SURE,
        evidence,
        remedy: remedy(`free_port_${port}`, `end the stale copy of ${c.component.name} that holds port ${port}`, ONE_WAY, [
          step(`end the stale copy of ${c.component.name} on port ${port}`, 'free_port', { port }),
          step(`wait until port ${port} is free`, 'wait_for_port', { port, timeoutMs: PORT_WAIT_MS }),
        ]),
        advice: [`end pid ${holder.pid}`],
        waitFor: { kind: 'port_free', port },
      });
    case 'managed':
      return conflict(c, port, holder, isSaid, evidence);
    case 'own_other':
      return diagnosis('port_in_use', {
        cause: `port ${port} is in use by another ${c.component.name} (pid ${holder.pid}, user ${holder.user}), which somebody else started and looks after`,
        confidence: SURE,
        evidence,
        advice: [`stop that copy where it was started (its parent is pid ${holder.parentPid}), or give one of the two another port`],
        waitFor: { kind: 'port_free', port },
      });
    case 'foreign':
      return diagnosis('port_in_use', {
        cause: `port ${port} is in use by ${holder.command} (pid ${holder.pid}, user ${holder.user}), which does not belong to ${c.component.name}`,
        confidence: SURE,
        evidence,
        advice: [`find out whether ${holder.command} belongs there; stop it, or give ${c.component.name} another port`],
        waitFor: { kind: 'port_free', port },
      });
  }
}

/** Two components of one configuration want the same port; one of them, or a child of it, is simply the holder. */
function conflict(c: CaseFile, port: number, holder: PortHolder, isSaid: boolean, evidence: readonly string[]): Diagnosis | null {
  const other = c.components.find((o) => o.name !== c.component.name && o.port === port);
  if (other === undefined && !isSaid) return null;
  return diagnosis('port_in_use', {
    cause: `port ${port} is in use by ${other === undefined ? `pid ${holder.pid}, which this Grace runs itself` : `"${other.name}", which this Grace runs too: both are configured for it`}`,
    confidence: other === undefined ? PERHAPS : LIKELY,
    evidence,
    advice: [`give ${c.component.name} or ${other?.name ?? 'the other component'} another port in the configuration`],
    waitFor: { kind: 'port_free', port },
  });
}

function portWasTaken(c: CaseFile, port: number, lines: readonly string[]): Diagnosis {
  return diagnosis('port_in_use', {
    cause: `port ${port} was in use when it started, and is free now`,
    confidence: PLAUSIBLE,
    evidence: lines,
    remedy: remedyInPlace(`retry_on_port_${port}`, `start again now that port ${port} is free`, ONE_WAY, [
      step(`wait until port ${port} is free`, 'wait_for_port', { port, timeoutMs: PORT_WAIT_MS }),
      step(`start ${c.component.name} again`, 'restart_component', { reason: `port ${port} was in use` }),
    ]),
    waitFor: { kind: 'port_free', port },
    advice: [`find out what used port ${port} for a moment`],
  });
}

function isItself(c: CaseFile, holder: PortHolder): boolean {
  return holder.pid === c.failure.context['pid'] && c.failure.symptom !== 'wrong_process';
}

function describeHolder(port: number, holder: PortHolder): string {
  return `port ${port}: pid ${holder.pid} ${holder.command}, user ${holder.user}, in ${holder.cwd ?? 'an unknown directory'}, parent ${holder.parentPid}`;
}
