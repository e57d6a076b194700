import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readFacts } from '../src/catalog/readers/index.ts';
import { cleanLines, computeSignature, READ_LINES_MAX, windowOf } from '../src/domains/incidents/index.ts';

interface Recorded {
  readonly cause: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly output: string;
}

/**
 * Programs in eleven languages that were really made to fail, each cause three times: on another port, in another temporary
 * folder, as another pid, with another host, user, database or size.
 */
const RECORDED = readFileSync(new URL('./recorded/failures.jsonl', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Recorded);

function sign({ exitCode, signal, output }: Recorded): string {
  const read = readFacts(windowOf(cleanLines(output), READ_LINES_MAX));
  return computeSignature({ component: 'recorded', output: read, exitCode, signal, symptom: 'exit', directory: '' }).signature;
}

function grouped(key: (one: Recorded) => string, value: (one: Recorded) => string): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>();
  for (const one of RECORDED) groups.set(key(one), (groups.get(key(one)) ?? new Set()).add(value(one)));
  return groups;
}

describe('recorded failures', () => {
  test('are of many causes, each three times', () => {
    const times = [
      ...grouped(
        (one) => one.cause,
        (one) => one.output,
      ).keys(),
    ];
    expect(times.length).toBeGreaterThan(200);
    expect(RECORDED.length).toBe(times.length * 3);
  });

  test('of one cause have one signature', () => {
    const split = [...grouped((one) => one.cause, sign)].filter(([, signatures]) => signatures.size > 1).map(([cause]) => cause);
    expect(split).toEqual([]);
  });

  test('of different causes have different signatures', () => {
    const mixed = [...grouped(sign, (one) => one.cause).values()].filter((causes) => causes.size > 1).map((causes) => [...causes]);
    expect(mixed).toEqual([]);
  });
});

const CHATTER = [
  '[2026-11-26T05:00:11.123Z] INFO  worker 4711 booting',
  '{"level":30,"time":1764133211123,"pid":4711,"hostname":"web-1","msg":"loaded 12 routes"}',
  'INFO:     Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)',
  'time=2026-11-26T05:00:00Z level=info msg=listening port=8080',
  '(node:4711) ExperimentalWarning: SQLite is an experimental feature and might change at any time',
  'WARN cache miss, retrying in 300 ms',
];

test.each([
  ['behind the chatter of a start', (output: string) => [...CHATTER, output].join('\n')],
  ['in colour', (output: string) => output.replace(/^(?!\s*$).*$/gm, '\u001B[31m$&\u001B[0m')],
  ['with the line ends of Windows', (output: string) => output.replaceAll('\n', '\r\n')],
  ['in another checkout', (output: string) => output.replaceAll('/srv/app/', '/home/deploy7/releases/20261126/app/')],
  [
    'after lines were added above it',
    (output: string) =>
      output.replace(/(?<=\.(?:cjs|go|java|rb|php|rs):)\d+/g, '1234').replace(/(?<=File "[^"]{1,200}", line )\d+/g, '1234'),
  ],
])('a recorded failure keeps its signature %s', (_how, changed) => {
  const lost = RECORDED.filter((one) => sign({ ...one, output: changed(one.output) }) !== sign(one));
  // Silence stays a matter of the exit code only as long as it is silence.
  expect(lost.filter((one) => one.output.trim() !== '').map((one) => one.cause)).toEqual([]);
});

test('nothing that is kept of an output can move a terminal, whatever stands in it', () => {
  const piece = fc.constantFrom(
    '\u001B[2J', '\u001B]0;x\u0007', '\u009B31m', '\u202E', '\u0000', '\r', '\n', '\\u001b[1m', '\\u202e', '"', "'", '{"level":"error","msg":"', '"}',
    'Error: ', '    at f (/srv/a.js:1:1)', 'Caused by: ', 'connect ECONNREFUSED ', '10.0.0.1:5432', "open '/srv/", 'ENOENT: no such file or directory, ',
    'panic: ', 'FATAL: ', 'user "', 'x', ' ',
  ); // prettier-ignore
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
      const read = readFacts(windowOf(cleanLines(pieces.join('')), READ_LINES_MAX));
      const signed = computeSignature({ component: 'c', output: read, exitCode: 1, signal: null, symptom: 'exit', directory: '' });
      const kept = stringsIn([read, signed]);
      // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
      expect(kept.filter((text) => /[\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/.test(text))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

function stringsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}
