import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'env_missing',
    title: 'puts back a variable that the last good boot had in its env file',
    origin: 'Node 26, a service that throws when DATABASE_URL is not set; the line was deleted from .env',
    recording: 'node26-env-required',
    command: ['node', 'server.js'],
    files: { 'server.js': '', '.env': 'DATABASE_URL=postgres://localhost/shop\nPORT=3000\n' },
    breaks: (world) => world.write('.env', 'PORT=3000\n'),
    isWell: 'test -n "$DATABASE_URL"',
    expects: { cause: 'DATABASE_URL is not set', playbook: 'set_database_url', risk: 'low', tier: 'tier_1' },
  },
  {
    family: 'env_missing',
    title: 'leaves a secret that nobody has a value for to a person',
    origin: 'Node 26, a service that throws when STRIPE_KEY is not set; it never was',
    recording: 'node26-env-var',
    command: ['node', 'server.js'],
    files: { 'server.js': '', '.env': 'PORT=3000\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'test -n "$STRIPE_KEY"',
    expects: { cause: 'STRIPE_KEY is not set', person: 'set STRIPE_KEY', waitFor: 'file_change' },
  },
];
