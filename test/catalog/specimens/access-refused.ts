import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'access_refused',
    title: 'puts back the key that changed',
    origin: 'got 14 on Node 26, a server that answers 401',
    recording: 'node26-got-401',
    command: ['node', 'server.mjs'],
    files: { 'server.mjs': '', '.env': 'BILLING_TOKEN=first-token\nPORT=3000\n' },
    breaks: (world) => world.write('.env', 'BILLING_TOKEN=other-token\nPORT=3000\n'),
    isWell: 'test "$BILLING_TOKEN" = first-token',
    expects: {
      cause: 'http://127.0.0.1:38290 does not accept the key of app (401); BILLING_TOKEN in .env changed',
      playbook: 'restore_billing_token',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: 'a key may be changed on purpose',
    },
  },
  {
    family: 'access_refused',
    title: 'makes up no key',
    origin: 'axios 1 on Node 26, a server that answers 403',
    recording: 'node26-axios-403',
    command: ['node', 'server.mjs'],
    files: { 'server.mjs': '', '.env': 'BILLING_TOKEN=first-token\n' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'does not allow app what it asks for (403)', person: 'renew its key', waitFor: 'file_change' },
  },
];
