import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'database_locked',
    title: 'starts again when the lock of another writer has passed',
    origin: 'Python 3.11 with sqlite3 while another process holds a write transaction',
    recording: 'py-sqlite-locked',
    command: ['python3', 'locked.py'],
    files: { 'locked.py': '' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: {
      cause: 'the database is locked by another process',
      playbook: 'retry_app_when_unlocked',
      risk: 'low',
      tier: 'tier_2',
      noGuard: 'who writes to it at the next start cannot be known before',
      provenBy: 'test/process/locked-database.test.ts',
    },
  },
];
