import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'schema_missing',
    title: 'makes a table again that was dropped, empty',
    origin: 'Python 3 with sqlite3: the table was dropped',
    recording: null,
    command: ['python3', 'server.py'],
    component: { database: 'shop.db' },
    files: {
      'migrations/0001_orders.sql': 'create table orders(id integer primary key, email text);\n',
      'migrate.py':
        "import glob, os, sqlite3\ndb = sqlite3.connect('shop.db')\ndb.execute('create table if not exists schema_migrations(name text primary key)')\ndone = {row[0] for row in db.execute('select name from schema_migrations')}\nfor path in sorted(glob.glob('migrations/*.sql')):\n    name = os.path.basename(path)\n    if name in done: continue\n    db.executescript(open(path).read())\n    db.execute('insert into schema_migrations values (?)', (name,))\n    db.commit()\n",
      'server.py': "import sqlite3\nprint(sqlite3.connect('shop.db').execute('select id, email from orders').fetchall())\n",
      '.env': 'DATABASE_URL=sqlite:shop.db\n',
    },
    prepares: (world) => void world.run(['python3', 'migrate.py']),
    breaks: (world) =>
      void world.run([
        'python3',
        '-c',
        "import sqlite3; d=sqlite3.connect('shop.db'); d.execute('drop table if exists orders'); d.commit()",
      ]),
    expects: { cause: 'the table orders is gone', playbook: 'restore_missing_tables', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'schema_missing',
    title: 'understands Hibernate',
    origin: 'Hibernate 6: form as in public issues, not run here',
    recording: 'hibernate-schema',
    command: ['java', '-jar', 'shop.jar'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the database has no column priority', person: 'apply the migrations' },
  },
];
