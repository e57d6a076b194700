import { DatabaseSync } from 'node:sqlite';
import { truncateSync, writeFileSync } from 'node:fs';
import type { Specimen, World } from '../specimen.ts';

function fill(world: World): void {
  const database = new DatabaseSync(world.path('shop.db'));
  database.exec('create table if not exists orders (id integer primary key, name text)');
  for (let i = 0; i < 400; i++) database.exec(`insert into orders (name) values ('${'x'.repeat(200)} ${i}')`);
  database.close();
}

export const specimens: readonly Specimen[] = [
  {
    family: 'data_corrupt',
    title: 'puts the last good copy in the place of what is no database any more',
    origin: 'Python 3.11 with sqlite3: the file holds something else',
    recording: 'py-sqlite-notadb',
    command: ['python3', 'sql.py'],
    files: { 'sql.py': '' },
    prepares: fill,
    breaks: (world) => writeFileSync(world.path('shop.db'), 'this is not a database\n'),
    isWell: 'test "$(head -c 6 shop.db)" = \'SQLite\'',
    expects: { cause: 'shop.db', playbook: 'restore_shop_db', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'data_corrupt',
    title: 'leaves a damaged database that nothing is left of to a person',
    origin: 'Python 3.11 with sqlite3: the file holds something else, and there never was another',
    recording: 'py-sqlite-notadb',
    command: ['python3', 'sql.py'],
    files: { 'sql.py': '', 'shop.db': 'this is not a database\n' },
    isFirstBoot: true,
    breaks: (world) => truncateSync(world.path('shop.db'), 12),
    isWell: 'false',
    expects: { cause: 'shop.db is not a database any more', person: 'restore it from a backup' },
  },
];
