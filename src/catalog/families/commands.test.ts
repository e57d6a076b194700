import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { families } from './index.ts';

/** Families by name, as the table of commands in the learning domain knows them: it cannot import the catalog. */
const COMMANDS = join(import.meta.dirname, '..', '..', 'domains', 'learning', 'commands-for.ts');

test('commands are looked up by families that exist', () => {
  const source = readFileSync(COMMANDS, 'utf8');
  const table = source.slice(source.indexOf('const OF_FAMILY'), source.indexOf('\n};', source.indexOf('const OF_FAMILY')));
  const named = [...table.matchAll(/^ {2}(\w+): /gm)].map((match) => match[1] ?? '');
  expect(named.length).toBeGreaterThan(30);
  const known = new Set(families.map((f) => f.name));
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});
