// Loaded into Grace by `node --import .../die-at.mjs?n=…&when=…&list=…`: ends it with SIGKILL at the n-th change that it makes to the
// world after its first healing has begun. Plain JavaScript: it is loaded as it is, before anything else.
import childProcess from 'node:child_process';
import { appendFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import { isMainThread } from 'node:worker_threads';

const asked = new URL(import.meta.url).searchParams;
/** Counted from 1; 0: it lives, and only lists. */
const deadly = Number(asked.get('n') ?? 0);
const when = asked.get('when') ?? 'before';
const list = asked.get('list');
/** What starts the counting: the first run, or `open` for what a next start does about the runs before it. */
const from = asked.get('from') === 'undo' ? /^(?:insert into|update) "playbook_runs"/ : /^insert into "playbook_runs"/;

const WRITES = /^\s*(?:insert|update|delete|create|alter|drop|commit|replace|vacuum)\b/i;
const STATES = new Set([
  'running', 'applied', 'verified', 'relapsed', 'inconclusive', 'undoing', 'undone', 'failed', 'refused', 'interrupted', 'planned', 'done',
]); // prettier-ignore

let isHealing = false;
let n = 0;

/** @returns whether to die after it */
function reached(label) {
  if (!isHealing) return false;
  n++;
  if (list !== null) appendFileSync(list, `${n}\t${label}\n`);
  if (n !== deadly) return false;
  if (when === 'before') die();
  return true;
}

function die() {
  process.kill(process.pid, 'SIGKILL');
  for (;;); // nothing more is done while the signal is on its way
}

function patchAsync(target, name, labelOf) {
  const original = target[name];
  target[name] = async function patched(...args) {
    const label = labelOf(args);
    const isLast = label !== null && reached(label);
    const result = await Reflect.apply(original, this, args);
    if (isLast) die();
    return result;
  };
}

function patchSync(target, name, labelOf) {
  const original = target[name];
  target[name] = function patched(...args) {
    const label = labelOf(args, this);
    const isLast = label !== null && reached(label);
    const result = Reflect.apply(original, this, args);
    if (isLast) die();
    return result;
  };
}

const short = (path) => String(path).replaceAll(/\d{14}(?:-\d+)?|[\da-f]{12,}/g, '#');

function labelOfSql(sql, args) {
  const text = sql.replaceAll(/\s+/g, ' ').trim();
  if (!isHealing && from.test(text)) isHealing = true;
  if (!WRITES.test(text)) return null;
  const state = args.find((arg) => typeof arg === 'string' && STATES.has(arg));
  return `sql ${text.slice(0, 60)}${state === undefined ? '' : ` [${state}]`}`;
}

if (isMainThread && process.argv[1]?.endsWith('grace.mjs')) {
  for (const name of ['run', 'all', 'get'])
    patchSync(StatementSync.prototype, name, (args, statement) => labelOfSql(statement.sourceSQL, args));
  patchSync(DatabaseSync.prototype, 'exec', ([sql]) => labelOfSql(String(sql), []));
  for (const name of ['writeFile', 'appendFile', 'rename', 'rm', 'unlink', 'rmdir', 'mkdir', 'symlink', 'link', 'copyFile', 'cp', 'chmod', 'chown', 'lchown', 'truncate', 'utimes'])
    patchAsync(fs, name, ([path, to]) => `fs.${name} ${short(path)}${typeof to === 'string' && to.startsWith('/') ? ` ${short(to)}` : ''}`); // prettier-ignore
  patchAsync(fs, 'open', ([path, flags]) =>
    flags === undefined || flags === 'r' || (typeof flags === 'number' && (flags & 3) === 0) ? null : `fs.open ${short(path)}`,
  );
  const handle = await fs.open(process.argv[1], 'r');
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  for (const name of ['write', 'writeFile', 'chmod', 'chown', 'truncate', 'utimes']) patchAsync(prototype, name, () => `handle.${name}`);
  patchSync(
    childProcess,
    'spawn',
    ([file, args]) => `spawn ${[file, ...(Array.isArray(args) ? args : [])].slice(-3).map(short).join(' ')}`,
  );
  syncBuiltinESMExports();
}
