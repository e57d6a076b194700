import { expect, test } from 'vitest';
import { seededRandom } from '../../src/kernel/index.ts';
import { TwoTries, type World } from './two-tries.ts';

/** All of them take half an hour; otherwise some, spread over all. */
const ALL = process.env['GRACE_KILL_ALL'] === '1';
const SEED = Number(process.env['GRACE_KILL_SEED'] ?? Date.now() % 1_000_000);
const SAMPLE = 8;
const SAMPLE_TWICE = 2;
const SAMPLE_TRIES = 2;
const ALL_TWICE = 40;
/** Changes of a next start that puts back and goes on with the healing. */
const SECOND_MAX = 60;
const AT_ONCE = ALL ? 2 : 1;

interface Kill {
  readonly n: number;
  readonly when: 'before' | 'after';
  readonly label: string;
  /** The change of the next start at which that is killed too. */
  readonly again?: number;
}

console.log(`kill -9 of Grace at ${ALL ? 'every change' : 'some changes'} it makes, seed ${SEED}`);
const random = seededRandom(SEED);

/** How many it takes when nobody kills anything. */
const RUNS = 2;

interface Undisturbed {
  readonly project: TwoTries;
  readonly world: World;
  readonly boundaries: readonly string[];
}

async function undisturbed(): Promise<Undisturbed> {
  const project = await TwoTries.begin();
  return { project, ...(await project.undisturbed()) };
}

test('killed before any change it makes while it heals, the next start ends as if nothing had been', { timeout: 90 * 60_000 }, async () => {
  const projects = await Promise.all(Array.from({ length: AT_ONCE }, undisturbed));
  const boundaries = projects[0]?.boundaries ?? [];
  const all = killsOf(boundaries);
  const kills = ALL ? all : spread(all, SAMPLE);
  const twice = spread(all, ALL ? ALL_TWICE : SAMPLE_TWICE).map((kill) => ({ ...kill, again: 1 + Math.floor(random.next() * SECOND_MAX) }));
  const wrong = await eachKill([...kills, ...twice], projects);
  console.log(`${boundaries.length} changes; ${kills.length} kills, ${twice.length} of two; ${wrong.length} went wrong`);
  expect(wrong).toEqual([]);
});

test(
  'killed between the second and the third of three tries, exactly one is left, and it is the one that helps',
  { timeout: 30 * 60_000 },
  async () => {
    const project = await TwoTries.begin({ vain: 2, attempts: 3 });
    const { world, boundaries } = await project.undisturbed();
    const begins = boundaries.flatMap((line, at) => (line.includes('"playbook_runs"') && line.endsWith('[running]') ? [at] : []));
    const ends = boundaries.flatMap((line, at) => (line.includes('"playbook_runs"') && line.endsWith('[undone]') ? [at] : []));
    const [first = 0, last = 0] = [ends[1], begins[2]];
    expect(first, boundaries.join('\n')).toBeGreaterThan(0);
    expect(last).toBeGreaterThan(first);
    // After the second is over, up to right before the third is there.
    const all = Array.from({ length: last - first }, (_, n) => first + 2 + n);
    const wrong: string[] = [];
    let between = 0;
    for (const { n } of all.map((each) => ({ n: each, at: random.next() })).toSorted((a, b) => a.at - b.at)) {
      if (!ALL && between === SAMPLE_TRIES) break;
      await project.reset();
      await project.diesAt(n, 'before');
      const states = project.states();
      // What goes on beside the healing shifts its changes by some: with the third begun, none is left by right.
      if (states.length !== 2 || !states.every((state) => state.endsWith(' undone'))) continue;
      between++;
      const found = states.join(', ');
      const faults = await project.recovers(world, 3).catch((error: unknown) => [String(error)]);
      const told = `before ${n} (${boundaries[n - 1] ?? ''}); found: ${found}; then: ${project.states().join(', ')}`;
      if (ALL) console.log(`${faults.length === 0 ? 'well' : 'WRONG'} tries ${told} ${faults.join('; ')}`);
      if (faults.length > 0) wrong.push(`${told}: ${faults.join('; ')}`);
    }
    expect(between, 'none of them was between the two').toBeGreaterThan(0);
    console.log(`${all.length} changes between two tries; ${wrong.length} went wrong`);
    expect(wrong).toEqual([]);
  },
);

/** What a change leaves is what the next one finds; a process that was started goes on by itself, so there both sides are looked at. */
function killsOf(boundaries: readonly string[]): readonly Kill[] {
  return boundaries.flatMap((line, at) => {
    const label = line.slice(line.indexOf('\t') + 1);
    const before: Kill = { n: at + 1, when: 'before', label };
    return label.startsWith('spawn') || at === boundaries.length - 1 ? [before, { ...before, when: 'after' as const }] : [before];
  });
}

/** Some, with the same distance, beginning somewhere. */
function spread<T>(all: readonly T[], count: number): readonly T[] {
  const step = all.length / count;
  const start = random.next() * step;
  return Array.from({ length: Math.min(count, all.length) }, (_, n) => all[Math.floor(start + n * step)]).filter(
    (item) => item !== undefined,
  );
}

/** @returns those after which something was wrong, with what */
async function eachKill(kills: readonly Kill[], projects: readonly Undisturbed[]): Promise<readonly string[]> {
  // In no order: what is cut short has looked everywhere all the same.
  const left = kills
    .map((kill) => ({ kill, at: random.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ kill }) => kill);
  const wrong: string[] = [];
  const work = async ({ project, world }: Undisturbed): Promise<void> => {
    for (let kill = left.shift(); kill !== undefined; kill = left.shift()) {
      const { n, when, label, again } = kill;
      await project.reset();
      await project.diesAt(n, when);
      const found = [project.states().join(', ')];
      if (again !== undefined) {
        await project.diesAt(again, 'before');
        found.push(project.states().join(', '));
      }
      const faults = await project.recovers(world, RUNS + found.length).catch((error: unknown) => [String(error)]);
      const told = `${when} ${n} (${label})${again === undefined ? '' : `, and again before ${again}`}; found: ${found.join(' | ')}`;
      if (ALL) console.log(`${faults.length === 0 ? 'well' : 'WRONG'} ${told} ${faults.join('; ')}`);
      if (faults.length > 0) wrong.push(`${told}: ${faults.join('; ')}`);
    }
  };
  await Promise.all(projects.map(work));
  return wrong;
}
