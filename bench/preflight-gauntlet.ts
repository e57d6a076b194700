// What the pre-flight alone knows before each boot of the gauntlet: see README.md, "Pre-flight".
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const USAGE = `usage: node bench/preflight-gauntlet.ts GAUNTLET [-j N] [--case LIST] [--suite DIR] [--checks DIR]

Runs the gauntlet in the folder GAUNTLET (real applications, broken in realistic ways), and 'grace check' right before each boot of it.
Prints per case whether pre-flight stops the broken application ('NO-GO'), says something of it that it does not say of the healthy one
('warns'), or knows nothing ('-').
--suite DIR takes its cases from DIR in place of GAUNTLET; give both for both.
--checks DIR reads what an earlier run has left there instead.`;

/** What the adapter keeps of one \`grace check\`. */
interface Kept {
  readonly service: string;
  readonly state: string;
  readonly at: number;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Case {
  readonly case: string;
  readonly app: string;
  readonly phase: 'boot' | 'run';
  readonly expect: 'heal' | 'hold' | 'none';
}

interface Said {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    jobs: { type: 'string', short: 'j', default: '2' },
    case: { type: 'string' },
    suite: { type: 'string', multiple: true, default: [] },
    checks: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
const gauntlet = positionals[0];
if (values.help === true || (gauntlet === undefined && values.checks === undefined)) console.log(USAGE);
else report(values.checks ?? run(resolve(gauntlet ?? '')));

/** @returns the folder with the results and with what the checks said */
function run(home: string): string {
  const program = join(home, 'run.mjs');
  if (!existsSync(program)) throw new Error(`there is no gauntlet in ${home}: it needs the folder that holds run.mjs`);
  const into = mkdtempSync(join(tmpdir(), 'grace-preflight-gauntlet-'));
  const adapter = join(import.meta.dirname, '..', 'test', 'gauntlet', 'grace');
  const args = [program, '--adapter', adapter, '-j', values.jobs, '--out', into, '--boots', '1'];
  if (values.case !== undefined) args.push('--case', values.case);
  for (const suite of values.suite) args.push('--suite', suite);
  const env = { ...process.env, GRACE_GAUNTLET_CHECKS: join(into, 'checks') };
  spawnSync('node', args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
  console.log(`kept in ${into}`);
  return into;
}

function report(dir: string): void {
  const cases = readFileSync(join(dir, 'results.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Case); // prettier-ignore
  const kept = readdirSync(join(dir, 'checks')).map((name) => JSON.parse(readFileSync(join(dir, 'checks', name), 'utf8')) as Kept);
  let healthy = 0;
  let alarms = 0;
  const told = new Map<string, { readonly app: string; readonly findings: readonly Said[] }>();
  /** What is said of an application as it is says nothing of what was broken in it. */
  const usual = new Set<string>();
  for (const app of new Set(cases.map((c) => c.app))) {
    // The cases of one application run one after the other, each in a folder of its own with a number that grows.
    const folders = Map.groupBy(kept.filter((k) => k.service === app).toSorted((a, b) => a.at - b.at), (k) => k.state); // prettier-ignore
    for (const [n, checks] of [...folders.values()].entries()) {
      const of = cases.filter((c) => c.app === app)[n];
      if (of === undefined) continue;
      const isBrokenBeforeStart = of.phase === 'boot' && of.expect !== 'none';
      const broken = isBrokenBeforeStart ? checks.at(-1) : undefined;
      for (const check of checks.filter((k) => k !== broken)) {
        healthy++;
        for (const { code } of saidBy(check)) usual.add(`${app} ${code}`);
        const errors = saidBy(check).filter((f) => f.severity === 'error');
        if (errors.length === 0 && check.code === 0) continue;
        alarms++;
        console.log(`FALSE ALARM ${of.case}: exit ${check.code} ${show(errors)} ${check.stderr.slice(0, 200)}`);
      }
      if (broken !== undefined) told.set(of.case, { app, findings: saidBy(broken) });
    }
  }
  const verdicts = [...told]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, { app, findings }]) => {
      const errors = findings.filter((f) => f.severity === 'error');
      const others = findings.filter(({ code }) => !usual.has(`${app} ${code}`));
      return { name, word: errors.length > 0 ? 'NO-GO' : others.length > 0 ? 'warns' : '-', said: errors.length > 0 ? errors : others };
    });
  for (const { name, word, said } of verdicts) console.log(`${word.padEnd(6)} ${name.padEnd(28)} ${show(said)}`);
  const count = (word: string): number => verdicts.filter((one) => one.word === word).length;
  console.log(`\nhealthy: ${healthy} checks of ${new Set(cases.map((c) => c.app)).size} applications, ${alarms} with a false alarm`);
  console.log(
    `broken before the start: ${told.size}, NO-GO for ${count('NO-GO')}, a warning for ${count('warns')}, nothing for ${count('-')}`,
  );
  if (values.checks === undefined && alarms === 0 && told.size > 0) rmSync(join(dir, 'logs'), { recursive: true, force: true });
}

function saidBy(check: Kept): readonly Said[] {
  try {
    const { findings } = JSON.parse(check.stdout) as { findings?: readonly Said[] };
    return findings ?? [];
  } catch {
    return [{ severity: 'error', code: 'unreadable', message: check.stdout.slice(0, 200) }];
  }
}

function show(findings: readonly Said[]): string {
  return findings.map((f) => `${f.severity} ${f.code}: ${f.message}`.slice(0, 140)).join(' | ');
}
