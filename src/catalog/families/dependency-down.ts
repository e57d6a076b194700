import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import {
  CAREFUL,
  diagnosis,
  HARMLESS,
  isRuntime,
  LIKELY,
  linesOf,
  PLAUSIBLE,
  remedy,
  remedyInPlace,
  step,
  SURE,
  WORDS_ONLY,
  ONE_WAY,
} from './answer.ts';
import { addressOf, componentAt, isSameHost, parseAddress, type Address } from './dependency-address.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { nameSlug } from './places.ts';

/** An address that nobody declared: perhaps the cause, perhaps only telemetry. Keeps no other remedy from being tried. */
const MENTIONED = 0.68;
/** Within this a database that was started has to answer. */
const START_TIMEOUT_MS = 60_000;
/** How long one attempt waits for something that nobody here may start; the watch goes on without a cap. */
const WAIT_TIMEOUT_MS = 60_000;

/**
 * Something the component needs does not answer. Restarting the component never helps then: the dependency is started
 * where a command was declared for it, and waited for otherwise.
 */
export const dependencyDown: FailureFamily = {
  name: 'dependency_down',
  title: 'a dependency does not answer',
  async diagnose(c) {
    if (c.component.kind === 'dependency') {
      const address = addressOf(c.component);
      return address === null || (await c.host.canConnect(address.host, address.port)) ? [] : [itself(c, address)];
    }
    const found = new Map<string, Diagnosis>();
    const add = (key: string, answer: Diagnosis | null): void => {
      if (answer !== null && !found.has(key)) found.set(key, answer);
    };
    for (const fact of factsOf(c, ...NO_CONNECTION)) {
      const address = parseAddress(fact.subject);
      if (address === null || isOwnAddress(c, address)) continue;
      // What can be reached and took too long is slow, and does not get faster by being waited for.
      if (fact.kind === 'timeout' && (await c.host.canConnect(address.host, address.port))) continue;
      const component = componentAt(c, address);
      add(component?.name ?? `${address.host}:${address.port}`, await diagnoseAddress(c, component, address));
    }
    for (const fact of factsOf(c, 'host_unresolved')) add(fact.subject, unresolved(c, fact.subject, fact.line));
    if (LOOKS_AT_DEPENDENCIES.has(c.failure.symptom))
      for (const dependency of dependenciesOf(c)) {
        const address = addressOf(dependency);
        if (address !== null && !(await c.host.canConnect(address.host, address.port)))
          add(dependency.name, down(c, dependency, address, false));
      }
    if (found.size === 0 && factsOf(c, 'not_ready_yet').length > 0) add('not_ready_yet', startingUp(c));
    const [unnamed] = factsOf(c, 'connection_refused').filter((f) => parseAddress(f.subject) === null);
    if (found.size === 0 && unnamed !== undefined)
      add(
        '',
        diagnosis('dependency_down', {
          cause: `something that ${c.component.name} needs refuses connections${unnamed.subject === '' ? '' : `: ${unnamed.subject}`}`,
          confidence: 0.5,
          evidence: [unnamed.line],
          advice: ['find out what it connects to, and declare that as a dependency'],
        }),
      );
    return [...found.values()];
  },
  guard: (g) => guardOfSteps('dependency_down', g),
};

/** A firewall that drops packets says nothing at all: then the attempt times out. */
const NO_CONNECTION = ['connection_refused', 'connection_lost', 'timeout'] as const;

const LOOKS_AT_DEPENDENCIES: ReadonlySet<string> = new Set([
  'exit',
  'not_ready',
  'smoke',
  'liveness',
  'latency',
  'dependency',
  'crash_loop',
  'check',
]);

/** Everything it depends on, and dependencies that nobody is said to depend on. */
function dependenciesOf(c: CaseFile): readonly ComponentSpec[] {
  const needed = new Set(c.components.flatMap((component) => component.dependsOn));
  return c.components.filter((o) => o.kind === 'dependency' && (c.component.dependsOn.includes(o.name) || !needed.has(o.name)));
}

function isOwnAddress(c: CaseFile, address: Address): boolean {
  const own = addressOf(c.component);
  return (
    (own !== null && own.port === address.port && isSameHost(own.host, address.host)) ||
    (c.component.port === address.port && isSameHost(c.component.host, address.host))
  );
}

async function diagnoseAddress(c: CaseFile, component: ComponentSpec | null, address: Address): Promise<Diagnosis | null> {
  const isUp = await c.host.canConnect(address.host, address.port);
  if (!isUp && component?.kind === 'dependency') return down(c, component, address, true);
  const evidence = linesOf(factsOf(c, ...NO_CONNECTION));
  const where = `${component === null ? '' : `${component.name} at `}${address.host}:${address.port}`;
  // While it runs, a lost connection that is back is for the families that look at how the component behaves.
  if (isUp) return isRuntime(c) ? null : cameLate(c, where, address, evidence);
  return diagnosis('dependency_down', {
    cause: `nothing answers at ${where}, which ${c.component.name} needs`,
    confidence: component === null ? MENTIONED : LIKELY,
    evidence,
    remedy: component === null ? null : waiting(c, component.name, address),
    advice: [component === null ? `start what should listen at ${where}, or correct the address` : `see why ${component.name} is not up`],
    waitFor: { kind: 'reachable', ...address },
  });
}

function down(c: CaseFile, dependency: ComponentSpec, address: Address, isSaid: boolean): Diagnosis {
  const where = `${address.host}:${address.port}`;
  const common = {
    cause: `${dependency.name} does not answer at ${where}${dependency.name === c.component.name ? '' : `, and ${c.component.name} needs it`}`,
    confidence: isSaid ? SURE : LIKELY,
    evidence: [`nothing listens at ${where}`, ...linesOf(factsOf(c, ...NO_CONNECTION, 'host_unresolved'))],
    waitFor: { kind: 'reachable', ...address },
  } as const;
  const playbook = `start_${nameSlug(dependency.name)}`;
  if (dependency.command.length === 0)
    return diagnosis('dependency_down', {
      ...common,
      advice: [`start ${dependency.name}: nobody told Grace how`, 'Grace waits and goes on as soon as it answers'],
    });
  if (c.attempts.includes(playbook))
    return diagnosis('dependency_down', {
      ...common,
      cause: `${common.cause}; its start command did not bring it up`,
      confidence: PLAUSIBLE,
      advice: [`run its start command by hand and read what it says: ${dependency.command.join(' ')}`],
    });
  const steps = [
    step(`start ${dependency.name}`, 'start_dependency', { name: dependency.name }),
    step(`wait until ${dependency.name} answers at ${where}`, 'wait_for_dependency', { ...address, timeoutMs: START_TIMEOUT_MS }),
  ];
  const build = needsStart(c) ? remedy : remedyInPlace;
  return diagnosis('dependency_down', {
    ...common,
    remedy: build(playbook, `start ${dependency.name} with its declared command and wait for it`, CAREFUL, steps),
    advice: [`start ${dependency.name}`],
  });
}

/** The dependency's own failure: its start command has run already, so whatever explains why it failed comes first. */
function itself(c: CaseFile, address: Address): Diagnosis {
  const answer = down(c, c.component, address, true);
  return answer.remedy === null && c.component.command.length === 0 ? answer : { ...answer, confidence: 0.5 };
}

/** A component that still runs reconnects by itself; one that is gone has to be started again. */
function needsStart(c: CaseFile): boolean {
  return c.component.kind === 'process' && (c.failure.symptom === 'exit' || c.failure.symptom === 'spawn' || !isRuntime(c));
}

function waiting(c: CaseFile, name: string, address: Address): ReturnType<typeof remedy> {
  const steps = [
    step(`wait until ${name} answers at ${address.host}:${address.port}`, 'wait_for_dependency', {
      ...address,
      timeoutMs: WAIT_TIMEOUT_MS,
    }),
  ];
  return (needsStart(c) ? remedy : remedyInPlace)(`wait_for_${nameSlug(name)}`, `wait for ${name}`, HARMLESS, steps);
}

/** What it needs is there by now: waited for, in case it is not, and then started again. */
function retrying(c: CaseFile, name: string, address: Address): ReturnType<typeof remedy> {
  return remedyInPlace(`retry_with_${nameSlug(name)}`, `wait for ${name}, then start ${c.component.name} again`, ONE_WAY, [
    step(`wait until ${name} answers`, 'wait_for_dependency', { ...address, timeoutMs: WAIT_TIMEOUT_MS }),
    step(`start ${c.component.name} again`, 'restart_component', { reason: `${name} had not answered yet` }),
  ]);
}

function cameLate(c: CaseFile, where: string, address: Address, evidence: readonly string[]): Diagnosis {
  return diagnosis('dependency_down', {
    cause: `${where} did not answer yet when it was needed; it does now`,
    confidence: PLAUSIBLE,
    evidence,
    remedy: retrying(c, where, address),
    waitFor: { kind: 'reachable', ...address },
    advice: [`declare ${where} as a dependency, so that it is waited for`],
  });
}

function unresolved(c: CaseFile, subject: string, line: string): Diagnosis {
  const host = parseAddress(subject)?.host ?? subject;
  const dependency = c.components.find((o) => o.kind === 'dependency' && addressOf(o)?.host === host);
  const port = parseAddress(subject)?.port ?? (dependency === undefined ? null : (addressOf(dependency)?.port ?? null));
  return diagnosis('dependency_down', {
    cause: `the name ${host || 'of a host'} cannot be resolved`,
    confidence: host === '' ? WORDS_ONLY : dependency === undefined ? MENTIONED : LIKELY,
    evidence: [line],
    advice: [`check the address of ${dependency?.name ?? (host || 'the host')}, and the name service of this machine`],
    waitFor: port === null ? null : { kind: 'reachable', host, port },
  });
}

/** "The database system is starting up": it listens already, and needs a moment. */
function startingUp(c: CaseFile): Diagnosis {
  const facts = factsOf(c, 'not_ready_yet');
  const engine = facts[0]?.subject ?? '';
  const candidates = dependenciesOf(c).filter((d) => addressOf(d) !== null);
  const dependency =
    candidates.find((d) => engine !== '' && d.name.toLowerCase().includes(engine.toLowerCase().slice(0, 5))) ??
    (candidates.length === 1 ? candidates[0] : undefined);
  const address = dependency === undefined ? null : addressOf(dependency);
  return diagnosis('dependency_down', {
    cause: `${dependency?.name ?? (engine || 'a dependency')} is still starting up`,
    confidence: LIKELY,
    evidence: linesOf(facts),
    remedy: dependency === undefined || address === null ? null : retrying(c, dependency.name, address),
    advice: ['wait: it answers as soon as it has started'],
    waitFor: address === null ? null : { kind: 'reachable', ...address },
  });
}
