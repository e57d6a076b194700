import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'credentials_missing',
    title: 'puts back the secret that the last good boot had',
    origin: 'passport-jwt 4 on Node 26, a strategy without its secret',
    recording: 'node26-jwt-strategy',
    command: ['node', 'jwt.js'],
    files: { 'jwt.js': '', '.env': 'JWT_SECRET=a-secret-of-this-test\nPORT=3000\n' },
    breaks: (world) => world.write('.env', 'PORT=3000\n'),
    isWell: 'test -n "$JWT_SECRET"',
    expects: {
      cause: 'JwtStrategy was given no key or secret; JWT_SECRET is not set, and the last good boot had it',
      playbook: 'set_jwt_secret',
      risk: 'low',
      tier: 'tier_1',
    },
  },
  {
    family: 'credentials_missing',
    title: 'finds in the example which variable it must be, and makes nothing up',
    origin: 'stripe 23 on Node 26, a client without a key',
    recording: 'node26-stripe',
    command: ['node', 'stripe.js'],
    files: { 'stripe.js': '', '.env': 'PORT=3000\n', '.env.example': 'PORT=3000\nSTRIPE_SECRET_KEY=\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'stripe was given no key or secret', person: 'set STRIPE_SECRET_KEY for app', waitFor: 'file_change' },
  },
  {
    family: 'credentials_missing',
    title: 'names the variables that a library reads by itself',
    origin: 'AWS SDK 3 on Node 26, without any credentials',
    recording: 'node26-aws-credentials',
    command: ['node', 's3.mjs'],
    files: { 's3.mjs': '' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the AWS SDK was given no key', person: 'set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY' },
  },
];
