import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'env_changed',
    title: 'gives SQLAlchemy its address back and leaves other edits of the env file alone',
    origin: 'SQLAlchemy 1.4 with DATABASE_URL=localhost:5432/shop, which is no address of a database',
    recording: 'py-sqlalchemy-url',
    command: ['python3', 'sa.py'],
    files: { 'sa.py': '', '.env': 'DATABASE_URL=postgresql://db/shop\n' },
    breaks: (world) => world.write('.env', 'DATABASE_URL=localhost:5432/shop\nLOG_LEVEL=debug\n'),
    isWell: 'test "$DATABASE_URL" = postgresql://db/shop && grep -q LOG_LEVEL=debug .env',
    expects: {
      cause: 'DATABASE_URL in .env has another value',
      playbook: 'restore_database_url',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: 'a variable that has another value is no fault by itself',
    },
  },
];
