import { describe, expect, test } from 'vitest';
import { cleanLines, principalFact } from '../../domains/incidents/index.ts';
import { readFacts } from './index.ts';

const read = (line: string) => readFacts(cleanLines(line));
const stack = (head: string) => `${head}\\n    at elect (/srv/app/leader.js:3:3)`;
const trace = 'java.lang.IllegalStateException: no leader\\n\\tat shop.Leader.elect(Leader.java:3)\\n\\tat shop.App.main(App.java:6)\\n';
const traceback = 'Traceback (most recent call last):\\n  File \\"/srv/app/a.py\\", line 3, in elect\\n    f()\\nRuntimeError: no leader';

describe('a record of a log is read as what it says:', () => {
  test.each([
    ['pino', `{"level":60,"time":1,"pid":1,"hostname":"h","err":{"type":"TypeError","message":"no leader","stack":"${stack('TypeError: no leader')}"},"msg":"no leader"}`, 'exception TypeError'],
    ['bunyan', `{"name":"a","hostname":"h","pid":1,"level":50,"err":{"message":"no leader","name":"RangeError","stack":"${stack('RangeError: no leader')}"},"msg":"x","v":0}`, 'exception RangeError'],
    ['winston', `{"level":"error","message":"boot failed","stack":"${stack('Error: no leader')}"}`, 'exception Error'],
    ['zap, the error beside the stack', '{"level":"fatal","ts":1.1,"msg":"cannot start","error":"dial tcp 127.0.0.1:5432: connect: connection refused","stacktrace":"main.main\\n\\t/srv/app/main.go:42"}', 'connection_refused 127.0.0.1:5432'],
    ['zerolog', '{"level":"error","error":"open /etc/a.yaml: no such file or directory","message":"load"}', 'path_missing /etc/a.yaml'],
    ['slog', '{"time":"t","level":"ERROR","msg":"boot","error":{"kind":"net","msg":"dial tcp: lookup db.internal: no such host"}}', 'host_unresolved db.internal'],
    ['logrus', 'time="t" level=fatal msg="cannot listen" error="listen tcp :8080: bind: address already in use"', 'port_in_use 8080'],
    ['Logback', `{"@timestamp":"t","message":"run failed","level":"ERROR","stack_trace":"${trace}"}`, 'exception java.lang.IllegalStateException'],
    ['Log4j', `{"level":"FATAL","message":"failed","thrown":{"message":"no leader","name":"java.lang.IllegalStateException","extendedStackTrace":"${trace}"}}`, 'exception java.lang.IllegalStateException'],
    ['ECS', `{"log":{"level":"error"},"message":"boot","error":{"type":"StateError","message":"no leader","stack_trace":"${stack('StateError: no leader')}"}}`, 'exception StateError'],
    ['structlog', `{"event": "boot", "level": "error", "exception": "${traceback}"}`, 'exception RuntimeError'],
    ['python-json-logger, with a space behind the brace', `{ "levelname": "ERROR", "message": "boot", "exc_info": "${traceback}"}`, 'exception RuntimeError'],
    ['lograge, which has no level', '{"method":"GET","status":500,"error":"PG::ConnectionBad: connection to server at \\"10.0.0.1\\", port 5432 failed: Connection refused"}', 'connection_refused 10.0.0.1:5432'],
  ])('%s', (_logger, line, expected) => {
    const cause = principalFact(read(line).facts);
    expect(`${cause?.kind} ${cause?.subject}`).toBe(expected);
  }); // prettier-ignore

  test.each([
    ['GELF', '{"version":"1.1","host":"h","short_message":"no leader","level":3}'],
    ['journald', '{"PRIORITY":"3","MESSAGE":"no leader","_PID":"12"}'],
    ['Serilog', '{"@t":"t","@m":"no leader","@l":"Fatal"}'],
    ['Google Cloud', '{"severity":"CRITICAL","message":"no leader"}'],
    ['what was tried, and why it failed', '{"level":"error","msg":"no leader"}'],
  ])('%s, without a known error, gives its headline', (_logger, line) => {
    expect(read(line).headline).toBe('no leader');
  });

  test.each([
    ['GELF at level 6', '{"version":"1.1","short_message":"Error: connect ECONNREFUSED 1.1.1.1:1","level":6}'],
    ['journald at priority 5', '{"PRIORITY":"5","MESSAGE":"Error: connect ECONNREFUSED 1.1.1.1:1"}'],
  ])('%s says that all is well', (_logger, line) => {
    expect(read(line).facts).toEqual([]);
  });

  test('of two loggers that name the process and the time, the same error is the same sentence', () => {
    const said = (pid: number) =>
      read(`{"level":50,"time":${pid}123,"pid":${pid},"hostname":"h${pid}","msg":"connect ECONNREFUSED 10.0.0.1:5432"}`).facts[0]?.said;
    expect(said(4711)).toBe('connect ECONNREFUSED 10.0.0.1:5432');
    expect(said(9)).toBe(said(4711));
  });

  test('nothing that JSON hides in escapes can move a terminal or turn text around', () => {
    const output = read(
      '{"level":"error","msg":"Error: \\u001b[31mevil\\u009b2J \\u202etxt \\u0007\\u0000","stack":"Error: a\\u202eb\\n    at f (/srv/a\\u001b.js:1:1)"}',
    );
    // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
    expect(JSON.stringify(output)).not.toMatch(/(?<!\\)\\u00[01]|[\u0000-\u001F\u007F-\u009F\u202A-\u202E]/);
    expect(output.headline).toBe('Error: [31mevil2J txt');
  });
});
