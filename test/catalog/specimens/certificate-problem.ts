import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'certificate_problem',
    title: 'puts back a certificate that was cut off',
    origin: 'Python 3 with OpenSSL: the certificate was cut off',
    recording: null,
    command: ['python3', 'server.py'],
    files: { 'server.py': "import ssl\nssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain('cert.pem', 'key.pem')\n" },
    prepares: (world) =>
      void world.run([
        'openssl',
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        'key.pem',
        '-out',
        'cert.pem',
        '-subj',
        '/CN=shop',
        '-days',
        '30',
      ]),
    breaks: (world) => world.write('cert.pem', world.read('cert.pem').slice(0, 200)),
    expects: { cause: 'cert.pem changed since the last good boot', playbook: 'restore_cert_pem', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'certificate_problem',
    title: 'guesses no password of a key store',
    origin: 'OpenJDK 17: a PKCS#12 store opened with another password',
    recording: 'java-keystore-password',
    command: ['java', '-jar', 'shop.jar'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'does not open with the password', person: 'check the password of a key store' },
  },
];
