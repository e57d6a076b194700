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
  {
    family: 'env_missing',
    title: 'gives Rails its secret_key_base back that was deleted from the env file',
    origin: 'Rails 6.1 in production without secret_key_base',
    recording: 'ruby-rails-secret-key-base',
    command: ['rails', 'server'],
    files: { 'config.ru': '', '.env': 'SECRET_KEY_BASE=kept-since-the-last-good-boot\nRAILS_ENV=production\n' },
    breaks: (world) => world.write('.env', 'RAILS_ENV=production\n'),
    isWell: 'test "$SECRET_KEY_BASE" = kept-since-the-last-good-boot',
    expects: {
      cause: 'SECRET_KEY_BASE is not set; the last good boot had it',
      playbook: 'set_secret_key_base',
      risk: 'low',
      tier: 'tier_1',
    },
  },
];
