import { describe, expect, test } from 'vitest';
import { cleanLines, computeSignature, principalFact } from '../../domains/incidents/index.ts';
import { readFacts } from './index.ts';

const read = (output: string) => readFacts(cleanLines(output));

function partOf(name: string, output: string, exitCode = 1): string {
  const signed = computeSignature({ component: 'api', output: read(output), exitCode, signal: null, symptom: 'exit', directory: '' });
  return signed.parts.find((part) => part.name === name)?.value ?? '';
}

describe('the deepest of a chain of causes counts, and the place where it happened:', () => {
  test.each([
    [
      'Node, indented',
      `Error: boot failed
    at start (/srv/app/main.js:9:9) {
  [cause]: Error: cart failed
      at loadCart (/srv/app/cart.js:5:3) {
    [cause]: TypeError: Cannot read properties of undefined (reading 'length')
        at total (/srv/app/total.js:3:3)
        at loadCart (/srv/app/cart.js:4:3)
  }
}`,
      "TypeError: Cannot read properties of undefined (reading 'length')",
      'total.js#total',
    ],
    [
      'Python, printed first',
      `Traceback (most recent call last):
  File "/srv/app/cart.py", line 3, in total
    return cart.items
AttributeError: 'NoneType' object has no attribute 'items'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/app/main.py", line 9, in <module>
    start()
RuntimeError: boot failed`,
      "AttributeError: 'NoneType' object has no attribute 'items'",
      'cart.py#total',
    ],
    [
      'Java, printed last',
      `Exception in thread "main" java.lang.RuntimeException: Failed to start
	at shop.App.main(App.java:6)
Caused by: java.lang.IllegalStateException: no cart
	at shop.Cart.load(Cart.java:4)
	... 1 more
Caused by: java.lang.NullPointerException: "items" is null
	at shop.Total.of(Total.java:3)
	... 2 more`,
      'java.lang.NullPointerException: "items" is null',
      'Total.java#shop.Total.of',
    ],
    [
      'Ruby, printed last',
      `/srv/app/main.rb:9:in \`rescue in start': boot failed (RuntimeError)
	from /srv/app/main.rb:7:in \`start'
/srv/app/cart.rb:3:in \`total': no cart (ArgumentError)
	from /srv/app/main.rb:8:in \`start'`,
      'ArgumentError: no cart',
      'cart.rb#total',
    ],
  ])('%s', (_language, output, subject, place) => {
    const cause = principalFact(read(output).facts);
    expect(`${cause?.subject}: ${cause?.details['message']}`).toBe(subject);
    expect(partOf('place', output)).toBe(place);
  });

  test('Go, in one line', () => {
    expect(partOf('kind', '2026/11/26 05:00:00 start: connect store: dial tcp 127.0.0.1:4444: connect: connection refused')).toBe(
      'connection_refused',
    );
  });

  test('where the cause never leaves the runtime, the place is where it was thrown', () => {
    const output = `/srv/app/main.js:67
throw e
^

Error: connect ECONNREFUSED 127.0.0.1:45901
    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16) {
  code: 'ECONNREFUSED'
}`;
    expect(partOf('place', output)).toBe('main.js#');
  });

  test('a stack that was printed earlier, by something else, is not the place', () => {
    const output = `Trace: handled
    at warm (/srv/app/cache.js:3:3)
ready
TypeError: no leader
    at elect (/srv/app/leader.js:5:5)`;
    expect(partOf('place', output)).toBe('leader.js#elect');
  });
});

describe('a parse error is told without the text it quotes:', () => {
  const message = (line: string): string =>
    partOf('message', `SyntaxError: ${line}\n    at JSON.parse (<anonymous>)\n    at load (/srv/a.js:1:1)`);

  test.each([
    [
      'where it stopped',
      'Expected double-quoted property name in JSON at position 10',
      'Expected double-quoted property name in JSON at position 18',
    ],
    ['what it found', `Unexpected token '<', "<html><bod"... is not valid JSON`, `Unexpected token '<', "<!doctype "... is not valid JSON`],
    ['which letter it found', 'Unexpected token \'a\', "abc" is not valid JSON', 'Unexpected token \'z\', "z" is not valid JSON'],
    ['where a file was cut', 'Unexpected end of JSON input', 'Unterminated string in JSON at position 77 (line 3 column 9)'],
  ])('%s does not count', (_what, one, other) => {
    expect(message(one)).toBe(message(other));
    expect(message(one)).not.toBe('');
  });

  test.each([
    ['another complaint', 'Unexpected end of JSON input', 'Expected double-quoted property name in JSON at position 18'],
    ['another token', `Unexpected token '<', "<html>" is not valid JSON`, `Unexpected token '}', "{"a": }" is not valid JSON`],
  ])('%s does', (_what, one, other) => {
    expect(message(one)).not.toBe(message(other));
  });
});

describe('last words', () => {
  test.each([
    ['are the reason of a program that says nothing of an error', 'booting\nno leader on 4711', 'no leader on <n>'],
    ['stand before the details', 'lua: main.lua:1: no leader\nstack traceback:\n\t[C]: in ?', 'lua: main.lua:<n>: no leader'],
    ['are no warning of an interpreter', "app.py:35: SyntaxWarning: 'NoneType' object is not subscriptable", ''],
    ['of a program that talks all the time are no reason', 'GET /a 200\n'.repeat(20), ''],
  ])('%s', (_what, output, words) => {
    expect(partOf('message', output, 3)).toBe(words);
  });

  test('of a program that was ended by a signal are not its reason', () => {
    expect(partOf('message', 'no leader on 4711', 137)).toBe('');
  });
});

test('a line that is repeated without end is read a few times, and what stands beside it is read', () => {
  const output = `${"Error: cannot load '/srv/a.json'\n".repeat(500)}Error: listen EADDRINUSE: address already in use :::3000`;
  expect(read(output).facts.map((fact) => fact.kind)).toContain('port_in_use');
});

describe('a crash at the end of a long output', () => {
  const crash =
    "TypeError: Cannot read properties of undefined (reading 'length')\n    at total (/srv/app/total.js:3:3)\n\nNode.js v20.20.2";
  const survived = 'Error: connect ECONNREFUSED 10.0.0.5:6379';
  const chatter = (count: number) => Array.from({ length: count }, (_, at) => `GET /cart/${at} 200`).join('\n');

  test('is not blamed on what was said long before', () => {
    expect(read([survived, chatter(300), crash].join('\n')).facts.map((fact) => fact.kind)).toEqual(['exception']);
  });

  test('is blamed on what was said shortly before', () => {
    const { facts } = read([survived, chatter(100), crash].join('\n'));
    expect(principalFact(facts)?.kind).toBe('connection_refused');
  });

  test('is blamed on the first of a chain of tracebacks, however deep they are', () => {
    const frames = Array.from({ length: 60 }, (_, at) => `  File "/srv/app/a.py", line ${at}, in f${at}\n    g()`).join('\n');
    const next = '\n\nDuring handling of the above exception, another exception occurred:\n\n';
    const chain = ['ConnectionRefusedError: [Errno 111] Connection refused', 'ValueError: no pool', 'ValueError: no app']
      .map((error) => `Traceback (most recent call last):\n${frames}\n${error}`)
      .join(next);
    expect(principalFact(read(`${chatter(50)}\n${chain}`).facts)?.kind).toBe('connection_refused');
  });

  test('has its own place, after many errors that were survived', () => {
    const handled = Array.from({ length: 40 }, (_, at) => `Error: request ${at}\n    at handle (/srv/app/http.js:1:1)\n${chatter(5)}`);
    expect(partOf('place', [...handled, chatter(300), crash].join('\n'))).toBe('total.js#total');
  });
});
