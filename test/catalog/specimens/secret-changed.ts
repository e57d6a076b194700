import type { Specimen } from '../specimen.ts';

/** Reads what it wrote itself, as services with stored credentials do. */
const server = `const { createDecipheriv, scryptSync } = require('crypto');
const { readFileSync } = require('fs');
const [iv, text] = readFileSync('credentials.enc', 'utf8').split('.');
const d = createDecipheriv('aes-256-cbc', scryptSync(process.env.APP_SECRET, 'salt', 32), Buffer.from(iv, 'hex'));
console.log(d.update(text, 'hex', 'utf8') + d.final('utf8') === 'ada' ? 'well' : 'odd');
setTimeout(() => {}, 1e6);
`;

export const specimens: readonly Specimen[] = [
  {
    family: 'secret_changed',
    title: 'gives a service the secret back that its data was encrypted with, and changes nothing else in the env file',
    origin: 'Node 26: APP_SECRET was replaced by another, the data stayed',
    recording: null,
    command: ['node', 'server.js'],
    files: {
      'server.js': server,
      '.env': 'APP_SECRET=correct-horse\nCOLOUR=red\n',
      'credentials.enc': '07070707070707070707070707070707.74ec8416f51e3917ca99dd349d61cd22',
    },
    breaks: (world) => world.write('.env', 'APP_SECRET=another-one\nCOLOUR=blue\n'),
    isWell: "grep -q '^COLOUR=blue$' .env",
    expects: {
      cause: 'cannot be decrypted',
      playbook: 'restore_app_secret',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: 'another value may be meant: only what cannot be decrypted tells',
    },
  },
];
