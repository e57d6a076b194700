import { expect, test } from 'vitest';
import { moduleCalls } from './module-calls.ts';

function dropped(source: string, path = '/srv/app/a.ts'): readonly string[] {
  const calls = moduleCalls(source, path);
  return (calls?.dropped ?? []).map(({ callee, line }) => `${line} ${callee.join('.')}`);
}

test('a call is dropped where it is a statement of its own', () => {
  const source = `
async function send(): Promise<void> {}
send();
await send();
void send();
send().catch(() => undefined);
const kept = send();
if (kept) send();
`;
  expect(dropped(source)).toEqual(['3 send', '8 send']);
});

test('the parameter or variable of a function hides what has its name outside', () => {
  const source = `
async function send() {}
function a(send) { send(); }
function b() { const send = () => 1; send(); }
function c() { send(); }
`;
  expect(dropped(source, '/srv/app/a.js')).toEqual(['5 send']);
});

test('this is the class it stands in, also in an arrow, and not in a function', () => {
  const source = `
class Bus {
  async publish() {}
  later() { this.publish(); const t = setTimeout(() => this.publish(), 1); [1].forEach(() => { this.publish(); }); }
  other() { function inner() { this.publish(); } return inner; }
}
`;
  expect(moduleCalls(source, '/srv/app/a.js')).toMatchObject({
    asyncs: ['Bus.publish'],
    classes: ['Bus'],
    dropped: [
      { callee: ['Bus', 'publish'], line: 4 },
      { callee: ['Bus', 'publish'], line: 4 },
    ],
  });
});

test('what a name is given anew may be anything', () => {
  const source = `
let send = async () => undefined;
if (process.env.DRY) send = () => undefined;
class Api { constructor(bus) { this.bus = new Bus(); if (bus) this.bus = bus; } }
`;
  expect(moduleCalls(source, '/srv/app/a.js')).toMatchObject({ asyncs: [], instances: [] });
});

test('an asynchronous generator starts nothing when it is called', () => {
  expect(moduleCalls('async function* rows() {}\nrows();', '/srv/app/a.js')).toMatchObject({ asyncs: [] });
});

test('imports and exports of both kinds of modules are read', () => {
  const esm = `
import bus, { send as post } from './bus.js';
import * as all from './all.js';
export { start as run } from './start.js';
export default class Api {}
export const load = async () => 1;
`;
  expect(moduleCalls(esm, '/srv/app/a.mjs')).toMatchObject({
    imports: [
      ['bus', './bus.js', 'default'],
      ['post', './bus.js', 'send'],
      ['all', './all.js', '*'],
      ['*run', './start.js', 'start'],
    ],
    exports: [
      ['run', '*run'],
      ['default', 'Api'],
      ['load', 'load'],
    ],
    asyncs: ['load'],
  });
  const cjs = `
const { send } = require('./bus');
const all = require('./all');
exports.load = async () => 1;
module.exports = { send, start: async function () {} };
`;
  expect(moduleCalls(cjs, '/srv/app/a.cjs')).toMatchObject({
    imports: [
      ['send', './bus', 'send'],
      ['all', './all', '*'],
    ],
    exports: [
      ['load', '*load'],
      ['send', 'send'],
      ['start', '*start'],
    ],
    asyncs: ['*load', '*start'],
  });
});

test('what cannot be parsed, or only by a stack without end, is nothing', () => {
  expect(moduleCalls('const a = <div/>;', '/srv/app/a.js')).toBeNull();
  expect(moduleCalls('enum A { B }', '/srv/app/a.ts')).toBeNull();
  expect(moduleCalls(`${'('.repeat(200_000)}1${')'.repeat(200_000)}`, '/srv/app/a.js')).toBeNull();
  expect(moduleCalls(`a${'.b'.repeat(150_000)}`, '/srv/app/a.js')).toSatisfy((one) => one === null || one !== undefined);
});
