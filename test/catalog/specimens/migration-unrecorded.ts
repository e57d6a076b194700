import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'migration_unrecorded',
    title: 'records the migration again instead of applying it twice',
    origin: 'Python 3 with sqlite3: the last row of the history table was deleted; the service migrates when it starts',
    recording: null,
    command: ['python3', 'server.py'],
    component: { database: 'shop.db' },
    files: {
      'migrations/0001_orders.sql': 'create table orders(id integer primary key, email text);\n',
      'migrate.py':
        "import glob, os, sqlite3\ndb = sqlite3.connect('shop.db')\ndb.execute('create table if not exists schema_migrations(name text primary key)')\ndone = {row[0] for row in db.execute('select name from schema_migrations')}\nfor path in sorted(glob.glob('migrations/*.sql')):\n    name = os.path.basename(path)\n    if name in done: continue\n    db.executescript(open(path).read())\n    db.execute('insert into schema_migrations values (?)', (name,))\n    db.commit()\n",
      'server.py':
        "import runpy, sqlite3\nrunpy.run_path('migrate.py')\nprint(sqlite3.connect('shop.db').execute('select priority from orders').fetchall())\n",
      '.env': 'DATABASE_URL=sqlite:shop.db\n',
      'migrations/0002_priority.sql': 'alter table orders add column priority integer;\n',
    },
    prepares: (world) => void world.run(['python3', 'migrate.py']),
    breaks: (world) =>
      void world.run([
        'python3',
        '-c',
        "import sqlite3; d=sqlite3.connect('shop.db'); d.execute('delete from schema_migrations where name like \\'0002%\\''); d.commit()",
      ]),
    expects: { cause: '0002_priority', playbook: 'record_applied_migrations', risk: 'medium', tier: 'tier_2' },
  },
];
