import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'crypto_unsupported',
    title: 'does not switch weak algorithms back on',
    origin: 'Node 20 with OpenSSL 3, createHash("md4"), which webpack 4 asks for',
    recording: 'node20-openssl-unsupported',
    command: ['node', 'build.js'],
    files: { 'build.js': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'that OpenSSL 3 does not offer any more', person: 'use a newer algorithm' },
  },
];
