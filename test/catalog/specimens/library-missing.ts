import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'library_missing',
    title: 'names the package of the library that psycopg2 is linked with',
    origin: 'psycopg2 2.9 (import psycopg2) linked with a libpq that is not installed',
    recording: 'py-libpq',
    command: ['python3', 'db.py'],
    files: { 'db.py': 'import psycopg2\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the library libpq.so.4 is not on this machine', person: 'install libpq5' },
  },
];
