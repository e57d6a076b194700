import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'migration_pending',
    title: 'applies the migration that a new release brought along',
    origin: 'Python 3 with sqlite3: new code and a migration were deployed, the migration was not run',
    recording: null,
    command: ['python3', 'server.py'],
    component: { migrate: 'python3 migrate.py', database: 'shop.db' },
    files: {
      'migrations/0001_orders.sql': 'create table orders(id integer primary key, email text);\n',
      'migrate.py':
        "import glob, os, sqlite3\ndb = sqlite3.connect('shop.db')\ndb.execute('create table if not exists schema_migrations(name text primary key)')\ndone = {row[0] for row in db.execute('select name from schema_migrations')}\nfor path in sorted(glob.glob('migrations/*.sql')):\n    name = os.path.basename(path)\n    if name in done: continue\n    db.executescript(open(path).read())\n    db.execute('insert into schema_migrations values (?)', (name,))\n    db.commit()\n",
      'server.py': "import sqlite3\nprint(sqlite3.connect('shop.db').execute('select id, email from orders').fetchall())\n",
      '.env': 'DATABASE_URL=sqlite:shop.db\n',
    },
    prepares: (world) => {
      world.run(['python3', 'migrate.py']);
      world.run(['cp', 'shop.db', '../before.db']);
    },
    breaks: (world) => {
      world.run(['cp', '../before.db', 'shop.db']);
      world.write('migrations/0002_priority.sql', 'alter table orders add column priority integer;\n');
      world.write('server.py', "import sqlite3\nprint(sqlite3.connect('shop.db').execute('select id, priority from orders').fetchall())\n");
    },
    expects: { cause: '0002_priority', playbook: 'apply_pending_migrations', risk: 'medium', tier: 'tier_2' },
  },
];
