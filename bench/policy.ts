// Says how long one policy decision takes, and loading what decides. See README.md, "Policy decisions".
import { parseArgs } from 'node:util';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeClock } from '../src/adapters/node/clock.ts';
import { nodeIds } from '../src/adapters/node/ids.ts';
import { cedarPolicy } from '../src/adapters/policy/index.ts';
import { decisionStore, openStore } from '../src/adapters/store/index.ts';
import { recordedDecisions, type DecisionPoint, type RunPlaybook } from '../src/domains/governance/index.ts';
import { messageOf } from '../src/kernel/index.ts';

const HELP = `use: npm run -s bench:policy

Prints microseconds for one decision by the policies that ship, warm: median, 99th of 100, and mean CPU time of the process. The first decision, which loads
Cedar, stands beside it in milliseconds.

  --decisions N   how many (default 10000)
  --policies N    policies of a user beside them (default 0)
`;

const RECORDED = 1000;

const REQUEST: RunPlaybook = {
  action: 'run_playbook',
  actor: { kind: 'grace', name: 'grace' },
  playbook: 'free_port_8080',
  component: 'api',
  risk: 'medium',
  tier: 'tier_2',
  origin: 'generated',
  primitives: ['free_port', 'restart_component'],
  changesNoData: true,
  phase: 'boot',
  mode: 'normal',
  environment: 'production',
  executeAtRuntime: false,
  approvals: 0,
  attempts: 1,
  failures: 0,
};

try {
  const { values } = parseArgs({
    options: {
      decisions: { type: 'string', default: '10000' },
      policies: { type: 'string', default: '0' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) process.stdout.write(HELP);
  else await measure(Number(values.decisions), Number(values.policies));
} catch (error) {
  console.error(`bench:policy: ${messageOf(error)}`);
  process.exitCode = 2;
}

async function measure(decisions: number, policies: number): Promise<void> {
  if (!Number.isInteger(decisions) || decisions < 100 || !Number.isInteger(policies) || policies < 0)
    throw new Error('bad use; see --help');
  const text = Array.from(
    { length: policies },
    (_, i) => `@id("own_${i}") forbid (principal, action, resource) when { context.component == "c${i}" };`,
  ).join('\n');
  const policy = cedarPolicy(policies === 0 ? [] : [{ name: 'own.cedar', text }]);
  const beforeMs = performance.now();
  const { verdict } = await policy.decide(REQUEST);
  if (verdict !== 'allow_with_notice') throw new Error(`it decided ${verdict}`);
  const firstMs = performance.now() - beforeMs;
  const took: number[] = [];
  const before = process.cpuUsage();
  for (let i = 0; i < decisions; i++) {
    const startMs = performance.now();
    await policy.decide({ ...REQUEST, attempts: i % 4 });
    took.push((performance.now() - startMs) * 1000);
  }
  const { user, system } = process.cpuUsage(before);
  took.sort((a, b) => a - b);
  const [median = 0, high = 0] = [took[decisions >> 1], took[Math.floor(decisions * 0.99)]];
  console.log(
    `${decisions} decisions: ${median.toFixed(0)} µs median, ${high.toFixed(0)} µs 99th of 100, ${((user + system) / decisions).toFixed(0)} µs of CPU time each; the first one, with loading, ${firstMs.toFixed(0)} ms`,
  );
  await measureRecorded(policy);
}

/** The same with each decision written down, durably, before it is returned: how long that takes is the disk's. */
async function measureRecorded(policy: DecisionPoint): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'grace-bench-policy-'));
  const store = await openStore(join(dir, 'grace.db'));
  try {
    const point = recordedDecisions(policy, { record: decisionStore(store.db), clock: nodeClock, ids: nodeIds });
    const took: number[] = [];
    for (let i = 0; i < RECORDED; i++) {
      const startMs = performance.now();
      const { verdict } = await point.decide({ ...REQUEST, attempts: i % 4 });
      if (verdict !== 'allow_with_notice') throw new Error(`it decided ${verdict}`);
      took.push((performance.now() - startMs) * 1000);
    }
    took.sort((a, b) => a - b);
    const [median = 0, high = 0] = [took[RECORDED >> 1], took[Math.floor(RECORDED * 0.99)]];
    console.log(`${RECORDED} decisions with their record: ${median.toFixed(0)} µs median, ${high.toFixed(0)} µs 99th of 100`);
  } finally {
    store.close();
    rmSync(dir, { recursive: true, force: true });
  }
}
