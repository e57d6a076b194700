import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LINE_CHARS_MAX } from '../output.ts';
import { TemplateMiner, type TemplateId, type TemplateMinerLimits } from './template-miner.ts';

/** How many groups the lines are in, in the end. */
function groups(lines: readonly string[], miner = new TemplateMiner()): number {
  const ids = lines.map((line) => miner.add(line));
  return new Set(ids.map((id) => miner.groupOf(id))).size;
}

function templates(lines: readonly string[]): readonly string[] {
  const miner = new TemplateMiner();
  const ids = lines.map((line) => miner.add(line));
  return [...new Set(ids.map((id) => miner.template(id)))];
}

const restored = (miner: TemplateMiner): TemplateMiner => {
  const again = TemplateMiner.fromJSON(JSON.parse(JSON.stringify(miner)));
  if (again === null) throw new Error('its own state is not read');
  return again;
};

describe('what is one template', () => {
  test('lines that differ in numbers, addresses and paths', () => {
    expect(templates(['connection from 10.0.0.1 port 22', 'connection from 10.9.8.7 port 4711'])).toEqual(['connection from <*> port <*>']);
  });

  test('lines that differ in white space', () => {
    expect(groups(['wait  (command 7)', 'wait (command 8)'])).toBe(1);
  });

  test('a user in the same message, from the fifth on', () => {
    const lines = ['root', 'admin', 'guest', 'oracle'].map((user) => `Failed login for ${user} from 10.0.0.1`);
    expect(groups(lines)).toBe(4);
    expect(templates([...lines, 'Failed login for bob from 10.0.0.2'])).toEqual(['Failed login for <*> from <*>']);
  });

  test('a second host or class in the same message', () => {
    expect(groups(['registered org.example.OrderStore now', 'registered org.example.ClientStore now'])).toBe(1);
  });

  test('a word where another line has a number', () => {
    expect(groups(['no such invalid user 0101 here', 'no such invalid user admin here'])).toBe(1);
  });

  test('a process in brackets behind its number, from the third on', () => {
    const lines = ['python', 'httpd', 'sshd'].map((name, i) => `Killed process ${i} (${name}).`);
    expect(groups(lines.slice(0, 2))).toBe(2);
    expect(groups(lines)).toBe(1);
  });

  test('values that change together', () => {
    const lines = ['a', 'b', 'c', 'd', 'e'].map((name) => `take lock tag="t${name}x" owner=svc${name}, uid=1`);
    expect(groups(lines.slice(0, 4))).toBe(4);
    expect(templates(lines)).toEqual(['take lock tag="<*>" owner=<*>, uid=<*>']);
  });

  test('a connection with and without the large sizes in brackets', () => {
    const lines = [
      'closed a.example.org:443: out 300 bytes, in 20480 bytes (20.0 KB), after <1 sec',
      'closed 10.0.0.1:80: out 0 bytes, in 0 bytes, after 00:17',
      'closed b.example.org:443: out 2048 bytes (2.00 KB), in 4096 bytes (4.00 KB), after 1:02:03',
    ];
    expect(groups(lines)).toBe(1);
  });
});

describe('what are two templates', () => {
  test.each([
    ['another verb', 'Starting the worker process 7', 'Stopping the worker process 7'],
    ['another state', 'task 7 went from NEW to RUNNING', 'task 7 went from RUNNING to DONE'],
    ['another flag', 'screen locked=true user=7', 'screen locked=false user=7'],
    ['another key', 'Environment: os.name=x', 'Environment: os.arch=x'],
    ['another exception', 'call failed with java.io.IOException here', 'call failed with java.net.SocketException here'],
    ['one more word', 'authentication failure; rhost=10.0.0.1', 'authentication failure; rhost=10.0.0.1 user=root'],
    ['another method', '"GET /a HTTP/1.1" 200', '"POST /a HTTP/1.1" 200'],
    ['another constant of the program', 'received action app.intent.SCREEN_ON', 'received action app.intent.SCREEN_OFF'],
  ])('%s', (_what, one, other) => {
    expect(groups([one, other])).toBe(2);
  });

  test('short messages, which are nearly all word', () => {
    expect(groups(['normal', 'running', 'blocked', 'halted', 'active', 'closing'])).toBe(6);
    expect(groups(['cron', 'syslog', 'printer', 'mail', 'clock', 'fonts'].map((name) => `${name} came up`))).toBe(6);
  });

  test.each([
    ['logfmt', (message: string) => `level=info msg="${message}" port=3000`],
    ['JSON', (message: string) => `{"level":30,"time":1700000000,"msg":"${message}","pid":17}`],
  ])('messages in %s, however short', (_what, lineOf) => {
    const messages = [
      'listening',
      'user deleted',
      'cache dropped',
      'disk full',
      'request aborted',
      'nothing to do today',
      'no answer after 3 tries',
    ];
    expect(groups(messages.map(lineOf))).toBe(messages.length);
    expect(templates([lineOf('no answer after 4 tries')])[0]).toContain('no answer after <*> tries');
  });

  test('a handful of users each of whom does much', () => {
    const lines = ['mail', 'print', 'backup'].map((user) => `began a session for user ${user} as (uid=0)`);
    expect(groups([...lines, ...lines])).toBe(3);
  });
});

describe('groups', () => {
  test('are merged whole, and an old id leads to the group it is part of now', () => {
    const miner = new TemplateMiner();
    const ids = ['ann', 'bob', 'eve', 'joe'].map((user) => miner.add(`sent the report to ${user} by mail`));
    expect(miner.count).toBe(4);
    const fifth = miner.add('sent the report to sam by mail');
    expect(new Set([...ids, fifth].map((id) => miner.groupOf(id)))).toEqual(new Set([ids[0]]));
    expect(miner.count).toBe(1);
    expect(miner.add('sent the report to kim by mail')).toBe(ids[0]);
  });

  test('are merged by a line that fits both, and stay so after a restart', () => {
    const miner = new TemplateMiner();
    for (const user of ['ann', 'bob', 'eve', 'joe', 'sam']) miner.add(`sent the report to ${user} by mail`);
    for (const medium of ['fax', 'post', 'hand', 'phone', 'pigeon']) miner.add(`sent the report to zoe by ${medium}`);
    expect(miner.count).toBe(2);
    miner.add('sent the report to zoe by mail');
    expect(miner.count).toBe(1);
    expect(restored(miner).count).toBe(1);
  });

  test('have ids from 0 on that are not used again', () => {
    const miner = new TemplateMiner();
    expect(['one thing', 'another thing', 'one thing'].map((line) => miner.add(line))).toEqual([0, 1, 0]);
  });

  test('have an empty template when the id was never given out', () => {
    expect(new TemplateMiner().template(17 as TemplateId)).toBe('');
  });

  test('do not change with how many shapes are remembered', () => {
    const lines = Array.from({ length: 60 }, (_, i) => `user ${'abcdefghij'[i % 10]}x opened the file f${i % 7}.txt of ${'klm'[i % 3]}y`);
    expect(groups(lines, new TemplateMiner({ shapesMax: 1 }))).toBe(groups(lines));
  });
});

describe('limits', () => {
  test('puts lines beyond the most skeletons into one group, and still finds those before', () => {
    const miner = new TemplateMiner({ skeletonsMax: 2 });
    const [a, b, c, d] = ['first thing', 'second thing', 'third thing', 'fourth thing'].map((line) => miner.add(line));
    expect(new Set([a, b, c]).size).toBe(3);
    expect(d).toBe(c);
    expect(miner.template(c as TemplateId)).toBe('<*>');
    expect(miner.add('first thing')).toBe(a);
    expect(miner.count).toBe(3);
  });

  test('learns nothing more once a line came too late, so that the line stays where it was put', () => {
    const miner = new TemplateMiner({ skeletonsMax: 4, shapesMax: 1 });
    for (const user of ['ann', 'bob', 'eve', 'joe']) miner.add(`sent the report to ${user} by mail`);
    const late = miner.add('sent the report to sam by mail');
    expect(miner.template(late)).toBe('<*>');
    miner.add('sent the report to kim by mail');
    expect(miner.groupOf(miner.add('sent the report to sam by mail'))).toBe(miner.groupOf(late));
    expect(miner.count).toBe(5);
  });

  test('keeps no more skeletons than a small multiple of the limit, whatever comes', () => {
    const miner = new TemplateMiner({ skeletonsMax: 20 });
    const letters = 'abcdefghij';
    for (let i = 0; i < 3_000; i++) {
      const [a, b, c] = [letters[i % 10], letters[Math.floor(i / 10) % 10], letters[Math.floor(i / 100) % 10]];
      miner.add(`move ${a}x.y.z to user=${b} then on to ${c}q for good (${a}${b})`);
    }
    expect(miner.toJSON().skeletons.length).toBeLessThanOrEqual(60);
  });

  test('looks at the first characters of a line only', () => {
    const start = 'word '.repeat(LINE_CHARS_MAX / 4);
    expect(groups([`${start} one end`, `${start} another end`])).toBe(1);
    expect(groups([`${'x'.repeat(LINE_CHARS_MAX - 1)}a`, `${'x'.repeat(LINE_CHARS_MAX - 1)}b`])).toBe(2);
    expect(groups([`${'x'.repeat(LINE_CHARS_MAX)}a`, `${'x'.repeat(LINE_CHARS_MAX)}b`])).toBe(1);
  });

  test.each([
    ['dots', 'a.'.repeat(20_000)],
    ['brackets', '('.repeat(40_000)],
    ['slashes', '/a'.repeat(20_000)],
    ['digits', '1'.repeat(40_000)],
    ['at', 'at '.repeat(14_000)],
    ['quotes', '"\''.repeat(20_000)],
    ['colons', 'ab:'.repeat(14_000)],
    ['equals signs', 'a='.repeat(20_000)],
    ['half characters', '\uD800'.repeat(40_000)],
    ['nothing', ''],
    ['100 MB', Buffer.alloc(100 * 1024 * 1024, 'x y ').toString('latin1')],
  ])('takes a hostile line of %s like any other', (_what, line) => {
    const miner = new TemplateMiner();
    const id = miner.add(line);
    expect(miner.add(line)).toBe(id);
    expect(miner.template(id).length).toBeLessThanOrEqual(LINE_CHARS_MAX * 2);
  });
});

describe('a stored state', () => {
  test('is small enough to be text: what was learned is not in it', () => {
    const miner = new TemplateMiner();
    miner.add('port 3000 of db is taken');
    expect(miner.toJSON()).toEqual({
      version: 1,
      skeletonsMax: 2_000,
      skeletons: [['w.port', 'x ', 'w of', 'w db', 'w is', 'w taken']],
      merged: [0],
      overflow: null,
    });
  });

  test('goes on as if there had been no restart', () => {
    const users = ['ann', 'bob', 'eve', 'joe', 'sam', 'kim'].map((user) => `sent the report to ${user} by mail`);
    const miner = new TemplateMiner();
    for (const line of users.slice(0, 4)) miner.add(line);
    const again = restored(miner);
    expect(again.count).toBe(4);
    expect(again.add(users[4] ?? '')).toBe(miner.add(users[4] ?? ''));
    expect(again.count).toBe(1);
  });

  test.each([
    ['of another version', { version: 0 }],
    ['with a token of no kind', { skeletons: [['?.x']], merged: [0] }],
    ['with a token that is no text', { skeletons: [[1]], merged: [0] }],
    ['with a skeleton that is no list', { skeletons: ['w.x'], merged: [0] }],
    ['merged into what is not there', { skeletons: [['w.x']], merged: [1] }],
    ['with merges missing', { skeletons: [['w.x']], merged: [] }],
    ['without a limit', { skeletonsMax: 'many' }],
    ['with the same skeleton twice', { skeletons: [['w.x'], ['w.x']], merged: [0, 1] }],
  ])('is not read %s', (_what, change) => {
    expect(TemplateMiner.fromJSON({ ...new TemplateMiner().toJSON(), ...change })).toBeNull();
  });

  test.each([[null], [undefined], ['text'], [[]]])('is not read from %j', (state) => {
    expect(TemplateMiner.fromJSON(state)).toBeNull();
  });
});

describe('whatever the lines are', () => {
  const phrase = fc
    .array(
      fc.constantFrom(
        'open',
        'alpha',
        'beta',
        '12',
        'true',
        'a.b.c',
        'x.y.z',
        'user=bob',
        'user=eve',
        'user=7',
        '(foo)',
        '(bar)',
        '"s"',
        'eth0',
        'lo1',
        'null',
        ':',
        ',',
      ),
      { minLength: 1, maxLength: 7 },
    )
    .map((words) => words.join(' '));
  // Alike enough that positions turn out to vary, one after another and together.
  const statement = fc
    .tuple(
      fc.constantFrom('login failed for user', 'open it', 'send a note by'),
      fc.constantFrom('bob', 'eve', 'sam', 'joe', 'ann', '77', 'a.b.c', 'q.r.s'),
      fc.constantFrom('from', 'to'),
      fc.constantFrom('h.i.j', 'k.l.m', 'n', 'o', 'p', 'q', 'r'),
      fc.constantFrom('k=a', 'k=b', 'k=c', 'k=d', 'k=e', 'k=1', 'k='),
    )
    .map((parts) => parts.join(' '));
  const log = fc.oneof(fc.array(phrase, { maxLength: 40 }), fc.array(statement, { maxLength: 120 }));
  const limits: fc.Arbitrary<Partial<TemplateMinerLimits>> = fc.record({
    skeletonsMax: fc.constantFrom(3, 10, 2_000),
    shapesMax: fc.constantFrom(1, 4_096),
  });

  test('lines that were once in one group stay in one', () => {
    fc.assert(
      fc.property(log, limits, (lines, most) => {
        const miner = new TemplateMiner(most);
        const ids: TemplateId[] = [];
        let before: readonly TemplateId[] = [];
        for (const line of lines) {
          ids.push(miner.add(line));
          const now = ids.map((id) => miner.groupOf(id));
          const became = new Map<TemplateId, TemplateId | undefined>();
          for (const [i, group] of before.entries()) {
            if (!became.has(group)) became.set(group, now[i]);
            expect(now[i]).toBe(became.get(group));
          }
          before = now;
        }
        expect(miner.count).toBe(new Set(before).size);
      }),
      { numRuns: 300 },
    );
  });

  test('a line that is read again is in the group it was in', () => {
    fc.assert(
      fc.property(log, limits, (lines, most) => {
        const miner = new TemplateMiner({ ...most, shapesMax: 1 });
        const ids = lines.map((line) => miner.add(line));
        for (const [i, line] of lines.entries()) {
          const again = miner.add(line);
          expect(miner.groupOf(again)).toBe(miner.groupOf(ids[i] as TemplateId));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('groupOf of a group is the group', () => {
    fc.assert(
      fc.property(log, (lines) => {
        const miner = new TemplateMiner();
        for (const line of lines) {
          const group = miner.groupOf(miner.add(line));
          expect(miner.groupOf(group)).toBe(group);
        }
      }),
    );
  });

  test('a restart at any line changes no id, no group and no template, then or later', () => {
    fc.assert(
      fc.property(log, limits, fc.nat(), (lines, most, n) => {
        const miner = new TemplateMiner(most);
        const at = n % (lines.length + 1);
        const ids = lines.slice(0, at).map((line) => miner.add(line));
        const again = restored(miner);
        const later = lines.slice(at);
        expect(later.map((line) => again.add(line))).toEqual(later.map((line) => miner.add(line)));
        expect(again.count).toBe(miner.count);
        for (const id of ids) expect([again.groupOf(id), again.template(id)]).toEqual([miner.groupOf(id), miner.template(id)]);
      }),
      { numRuns: 300 },
    );
  });
});
