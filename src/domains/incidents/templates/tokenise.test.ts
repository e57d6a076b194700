import { expect, test } from 'vitest';
import { shapeOf } from './shape.ts';
import { templateText } from './token.ts';
import { tokenise, TOKENS_MAX } from './tokenise.ts';

const masked = (line: string): string => templateText(tokenise(shapeOf(line)));

test.each([
  ['an address with its port', 'accepted 10.1.2.3:5432', 'accepted <*>'],
  ['an IPv6 address', 'peer ::ffff:10.1.2.3 gone', 'peer <*> gone'],
  ['a hardware address', 'lease for 00:1B:ff:AC:de:01 via eth1', 'lease for <*> via eth<*>'],
  ['a host with its port', 'no answer from db.internal:5432', 'no answer from <*>'],
  ['a host without digits', 'lookup of mail.example.org failed', 'lookup of <*> failed'],
  ['a path', 'cannot open /var/lib/app/state.db: denied', 'cannot open <*>: denied'],
  ['a relative path', 'reading conf/app.yaml', 'reading <*>'],
  ['a Windows path', 'loaded C:\\Windows\\core.dll', 'loaded <*>'],
  ['a URL with a query', 'GET https://example.org/a?b=c&d=e.', 'GET <*>.'],
  ['a path with a query', '"GET /items?all=true&host=a HTTP/1.1" 200', '"GET <*>" <*>'],
  ['the shortest path of a request', '"GET / HTTP/1.1" 200', '"GET <*>" <*>'],
  ['a value of JSON that is nothing', '{"msg":"up", "err":null}', '{"msg":"up", "err":<*>}'],
  ['a mail address', 'mail to bob@example.org queued', 'mail to <*> queued'],
  ['a date with names', 'since Sat Jul  9 22:53:19 UTC 2005 up', 'since <*> up'],
  ['a date the other way round', 'since Sat, 9 Jul 2005 22:53:19 up', 'since <*> up'],
  ['an ISO time', '2024-05-01T10:00:00.123Z started', '<*> started'],
  ['an identifier with digits', 'job job_17_0003 of blk_-17 done', 'job <*> of <*> done'],
  ['a size in any unit', 'freed 12.5 KB', 'freed <*>'],
  ['a duration under its unit', 'lifetime <1 sec', 'lifetime <*>'],
  ['dot leaders', 'store operation........0', 'store operation<*>'],
  ['a value that is nothing', 'tag=null, owner=none', 'tag=<*>, owner=<*>'],
  ['a value that is left out', 'logname= uid=0 ruser= rhost=h', 'logname=<*> uid=<*> ruser=<*> rhost=h'],
  ['an object that is only numbers', 'owner=Group{17} age=1', 'owner=<*> age=<*>'],
])('masks %s', (_what, line, template) => {
  expect(masked(line)).toBe(template);
});

test.each([
  ['words', 'Connection reset by peer'],
  ['keys', 'user=root, mode=fast'],
  ['flags', 'force=true delayed=false'],
  ['slashes between words', 'read/write of client/server'],
  ['packages and exceptions', 'java.io.IOException at org.example.Main'],
  ['messages in quotes', 'failed: "the request timed out"'],
  ['quoted words', 'state \'Active\' of "main"'],
])('keeps %s', (_what, line) => {
  expect(masked(line)).toBe(line);
});

test('keeps an exception, though its module has a number', () => {
  expect(masked('psycopg2.OperationalError: gone')).toBe('psycopg<*>.OperationalError: gone');
});

test('keeps the letters of a key, so that registers are told from other values', () => {
  expect(masked('r17=0x1 cr0=0x2')).toBe('r<*>=<*> cr<*>=<*>');
});

test.each([
  ['of numbers', 'codes 1 2 3', 'codes 1 2 3 4 5'],
  ['with commas', 'codes 1, 2', 'codes 1, 2, 3'],
  ['of devices', 'cannot resolve dn1 dn2', 'cannot resolve dn1 cn2 dn3 bn4'],
  ['of words in brackets', 'signals for [TERM, HUP]', 'signals for [TERM, HUP, INT]'],
  ['of items with several parts', 'nodes n-1 up, n-2 up', 'nodes n-1 up, n-2 up, n-3 up'],
  ['with one item', 'nodes n-1 up', 'nodes n-1 up, n-3 up'],
])('gives a list %s one template, however long it is', (_what, short, long) => {
  expect(masked(long)).toBe(masked(short));
});

test('takes the bracket that repeats a large size for a part of the size', () => {
  expect(masked('sent 2048 bytes (2.00 KB), done')).toBe(masked('sent 17 bytes, done'));
});

test('reads a word as a value where its neighbours in the same row are numbers', () => {
  const line = 'Vote: 2 (leader), 0x1 (round), LOOKING (state)';
  expect(masked(line)).toBe('Vote: <*> (leader), <*> (round), <*> (state)');
  expect(masked('Vote: LOOKING (state)')).toBe('Vote: LOOKING (state)');
});

test('does not take the end of a quoted message for the beginning of a value', () => {
  expect(masked('err "the request timed out" of "a", then "/b/c"')).toBe('err "the request timed out" of "a", then "<*>"');
});

test('reads the keys of JSON as keys', () => {
  expect(tokenise('{"level":0,"msg":"up"}').flatMap(({ text, kind }) => (kind === 'key' ? [text] : []))).toEqual(['level', 'msg']);
});

test('looks at so many tokens, and takes the rest for data', () => {
  const words = Array.from({ length: TOKENS_MAX }, (_, i) => (i % 2 === 0 ? 'a' : 'b'));
  expect(tokenise(words.join(' '))).toHaveLength(TOKENS_MAX);
  expect(masked([...words, 'c', 'd'].join(' '))).toBe(`${words.join(' ')} <*>`);
});

test('takes a line break for a space', () => {
  expect(masked('two\r\nlines')).toBe('two lines');
});

test('takes nothing for a token in a line of spaces', () => {
  expect(tokenise(' \t ')).toEqual([]);
});
