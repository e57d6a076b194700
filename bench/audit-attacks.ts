// Tampers with a large audit log in every way it knows, and says whether `grace audit verify` finds it and names the place. See README.md,
// "Audit log".
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { openAuditLog } from '../src/adapters/store/audit/index.ts';
import { openStore } from '../src/adapters/store/index.ts';
import { parseVerifierKey, signCheckpoint, signerKeyOf, type FindingKind } from '../src/domains/audit/index.ts';
import { messageOf } from '../src/kernel/index.ts';
import { runGrace } from './run-grace.ts';

const HELP = `use: npm run -s bench:audit-attacks

Writes a log, exports it, and tampers with copies of the export and of the store. Prints for each what the built grace (npm run -s build) says,
its CPU time and the most memory it took. Ends with 1 when something was not found, or not with its word and place.

  --entries N   how many (default 1000000)
`;
const NOTE = 'port 4610 was held by an old copy of api that nobody looks after any more; '.repeat(4).slice(0, 205);

/** What must be among the findings; the place is the first entry it is about. */
type Expected = readonly [kind: FindingKind, place: number | null];
interface Found {
  readonly kind: FindingKind;
  readonly from: number | null;
}

const { values } = parseArgs({
  options: { entries: { type: 'string', default: '1000000' }, help: { type: 'boolean', short: 'h', default: false } },
});
const COUNT = Number(values.entries);
if (values.help) process.stdout.write(HELP);
else if (!Number.isInteger(COUNT) || COUNT < 5000) {
  console.error('bench:audit-attacks: bad use; see --help');
  process.exitCode = 2;
} else await attack();

async function attack(): Promise<void> {
  const top = mkdtempSync(join(tmpdir(), 'grace-audit-attacks-'));
  try {
    const store = join(top, 'store');
    await fill(store);
    const exported = join(top, 'export');
    runGrace(['audit', 'export', '--data-dir', store, '--out', exported], top);
    const missed = [...attackExport(exported, join(top, 'tampered')), ...attackStore(store, join(top, 'tampered-store'))];
    if (missed.length > 0) throw new Error(`not found as they should be: ${missed.join('; ')}`);
    console.log('all found, with their word and place');
  } catch (error) {
    console.error(`bench:audit-attacks: ${messageOf(error)}`);
    process.exitCode = 1;
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

async function fill(dir: string): Promise<void> {
  mkdirSync(dir);
  const path = join(dir, 'grace.db');
  (await openStore(path)).close();
  const log = await openAuditLog({
    path,
    service: 'attacked',
    clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
    redact: (text) => text,
    sync: { sync: async () => undefined, close: async () => undefined },
  });
  for (let n = 0; n < COUNT; n += 1000)
    await Promise.all(
      Array.from({ length: Math.min(1000, COUNT - n) }, (_, i) =>
        log.append({
          actor: 'grace',
          action: 'run.step_done',
          resource: 'svc/checkout',
          subsystem: 'healing',
          result: 'ok',
          payload: { run: `run_${n + i}`, step: i % 7, params: { component: 'api', port: 4610 }, note: NOTE },
        }),
      ),
    );
  await log.close();
}

function attackExport(exported: string, dir: string): readonly string[] {
  const lines = readFileSync(join(exported, 'entries.jsonl'), 'latin1').split('\n').slice(0, -1);
  const [early, middle, late] = [Math.floor(COUNT * 0.01), Math.floor(COUNT / 2), Math.floor(COUNT * 0.9)];
  const line = (place: number): string => lines[place] ?? '';
  const forged = (place: number): string => line(place).replace('svc/checkout', 'svc/checkin!');
  const numbered = (text: string, sequence: number): string => text.replace(/"sequence":\d+/, `"sequence":${sequence}`);
  const without = (from: number, count: number): string[] => [...lines.slice(0, from), ...lines.slice(from + count)];
  const withLine = (place: number, text: string): string[] => [...lines.slice(0, place), text, ...lines.slice(place)];
  const replaced = (place: number, text: string): string[] => lines.with(place, text);
  const attacks: readonly (readonly [name: string, lines: () => readonly string[], expected: readonly Expected[]])[] = [
    ['nothing', () => lines, []],
    ['a byte changed', () => replaced(late, forged(late)), [['root', 0]]],
    ['one removed', () => without(middle, 1), [['removed', middle]]],
    ['a hundred removed', () => without(middle, 100), [['removed', middle]]],
    ['the first removed', () => without(0, 1), [['removed', 0]]],
    ['the last removed', () => lines.slice(0, -1), [['removed', COUNT - 1]]],
    [
      'removed, and all after it renumbered',
      () => without(middle, 1).map((text, i) => (i < middle ? text : numbered(text, i))),
      [['removed', COUNT - 1]],
    ],
    [
      'one twice',
      () => withLine(middle, line(middle)),
      [
        ['duplicate', middle],
        ['root', 0],
      ],
    ],
    [
      'a forged one put in',
      () => withLine(middle, forged(middle - 1)),
      [
        ['inserted', middle - 1],
        ['root', 0],
      ],
    ],
    ['one more at the end', () => [...lines, numbered(line(COUNT - 1), COUNT)], [['unsigned', COUNT]]],
    [
      'two neighbours swapped',
      () => [...lines.slice(0, middle), line(middle + 1), line(middle), ...lines.slice(middle + 2)],
      [
        ['reordered', middle + 1],
        ['root', 0],
      ],
    ],
    [
      'two far ones swapped',
      () => lines.with(early, line(late)).with(late, line(early)),
      [
        ['reordered', late],
        ['reordered', early],
        ['root', 0],
      ],
    ],
    [
      'a block moved to the front',
      () => [...lines.slice(0, early), ...lines.slice(middle, middle + 500), ...lines.slice(early, middle), ...lines.slice(middle + 500)],
      [
        ['reordered', middle],
        ['root', 0],
      ],
    ],
    [
      'all turned round',
      () => lines.toReversed(),
      [
        ['reordered', COUNT - 2],
        ['root', 0],
      ],
    ],
    [
      'spaces in one',
      () => replaced(middle, line(middle).replace('{"action"', '{ "action"')),
      [
        ['not_canonical', middle],
        ['root', 0],
      ],
    ],
    [
      'one that is no JSON',
      () => replaced(middle, 'hello'),
      [
        ['not_canonical', middle],
        ['root', 0],
      ],
    ],
    ['another time', () => replaced(early, line(early).replace(/"timestamp":"\d{4}/, '"timestamp":"2020')), [['root', 0]]],
    [
      'a time that is none',
      () => replaced(early, line(early).replace(/"timestamp":"[^"]+"/, '"timestamp":"yesterday"')),
      [
        ['timestamp', early],
        ['root', 0],
      ],
    ],
    [
      'carriage returns',
      () => lines.map((text) => `${text}\r`),
      [
        ['not_canonical', 0],
        ['root', 0],
      ],
    ],
  ];
  return attacks.flatMap(([name, edited, expected]) => {
    copyOf(exported, dir);
    writeFileSync(join(dir, 'entries.jsonl'), `${edited().join('\n')}\n`, 'latin1');
    return judged(`export: ${name}`, ['--dir', dir, '--vkey', join(exported, 'vkey')], dir, expected);
  });
}

function copyOf(exported: string, dir: string): void {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir);
  for (const name of ['checkpoint', 'vkey']) copyFileSync(join(exported, name), join(dir, name));
}

function attackStore(store: string, dir: string): readonly string[] {
  interface Row {
    readonly first: number;
    readonly leaves: Uint8Array;
    readonly bodies: Uint8Array;
  }
  const middle = Math.floor(COUNT / 2);
  const rowOf = (db: DatabaseSync, place: number): Row =>
    db.prepare('select first, leaves, bodies from audit_entries where first <= ? order by first desc limit 1').get(place) as unknown as Row;
  const whole = new DatabaseSync(join(store, 'grace.db'), { readOnly: true });
  const { first } = rowOf(whole, middle);
  const { first: last } = rowOf(whole, COUNT);
  whole.close();
  const stranger = signerKeyOf('attacker', new Uint8Array(32).fill(7));
  const attacks: readonly (readonly [name: string, edit: (db: DatabaseSync) => void, expected: readonly Expected[]])[] = [
    ['nothing', () => undefined, []],
    [
      'an entry changed',
      (db) => {
        const bytes = Buffer.from(rowOf(db, middle).bodies);
        bytes.write('in!', bytes.indexOf('svc/checkout') + 'svc/check'.length);
        db.prepare('update audit_entries set bodies = ? where first = ?').run(bytes, first);
      },
      [
        ['changed', first],
        ['root', 0],
      ],
    ],
    ['a row removed', (db) => void db.prepare('delete from audit_entries where first = ?').run(first), [['removed', first]]],
    ['the last row removed', (db) => void db.prepare('delete from audit_entries where first = ?').run(last), [['removed', last]]],
    [
      'a row that is none',
      (db) => void db.prepare('update audit_entries set bodies = zeroblob(9) where first = ?').run(first),
      [['torn', first]],
    ],
    ['a node changed', (db) => db.exec('update audit_nodes set hash = zeroblob(32) where level = 8 and position = 10'), [['node', 2560]]],
    ['a kept hash changed', (db) => db.exec('update audit_entries set leaves = zeroblob(length(leaves)) where first = 0'), [['node', 0]]],
    ['all heads removed', (db) => db.exec('delete from audit_checkpoints'), [['checkpoint', null]]],
    [
      'the head signed by somebody else',
      (db) => {
        const [vkey] = db.prepare('select vkey from audit_keys').all() as { vkey: string }[];
        const { name } = parseVerifierKey(vkey?.vkey ?? '');
        const note = signCheckpoint({ origin: name, size: COUNT, root: new Uint8Array(32) }, [signerKeyOf(name, stranger.seed)]);
        db.prepare('update audit_checkpoints set note = ? where size = ?').run(note, COUNT);
      },
      [
        ['unknown_key', null],
        ['root', 0],
      ],
    ],
  ];
  return attacks.flatMap(([name, edit, expected]) => {
    rmSync(dir, { recursive: true, force: true });
    cpSync(store, dir, { recursive: true });
    const db = new DatabaseSync(join(dir, 'grace.db'));
    edit(db);
    db.close();
    return judged(`store: ${name}`, ['--data-dir', dir], dir, expected);
  });
}

/** @returns the name of the attack when it was not found as it should be */
function judged(name: string, args: readonly string[], dir: string, expected: readonly Expected[]): readonly string[] {
  const { status, stdout, cpuS, mb } = runGrace(['audit', 'verify', '--json', ...args], dir);
  const { findings } = JSON.parse(stdout) as { findings: readonly Found[] };
  const isFound =
    status === (expected.length === 0 ? 0 : 1) &&
    expected.every(([kind, place]) => findings.some((finding) => finding.kind === kind && finding.from === place));
  const said = findings.slice(0, 4).map(({ kind, from }) => `${kind}${from === null ? '' : ` ${from}`}`);
  console.log(
    `${isFound ? ' ' : '✖'} ${name.padEnd(46)} ${cpuS.toFixed(1).padStart(5)} s ${mb.toFixed(0).padStart(4)} MB  ${said.join(', ') || 'intact'}`,
  );
  return isFound ? [] : [name];
}
