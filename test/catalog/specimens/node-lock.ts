import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'lock_file_outdated',
    title: 'puts a lock file back that an install asks for',
    origin: 'npm 11, `npm ci` without a lock file; here as the first half of the start script',
    recording: 'npm-ci-no-lock',
    command: ['npm', 'run', 'start:clean'],
    files: {
      'package.json': '{ "name": "shop", "scripts": { "start:clean": "npm ci && node server.js" } }\n',
      'package-lock.json': '{ "name": "shop", "lockfileVersion": 3, "packages": { "": { "name": "shop" } } }\n',
    },
    breaks: (world) => world.remove('package-lock.json'),
    isWell: 'test -s package-lock.json',
    expects: { cause: 'there is no package-lock.json', playbook: 'restore_package_lock_json', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'lock_file_outdated',
    title: 'puts back the lock file that belonged to package.json',
    origin: 'npm 11, `npm ci` with a lock file that lacks a dependency; here as the first half of the start script',
    recording: 'npm-ci-out-of-sync',
    command: ['npm', 'run', 'start:clean'],
    files: {
      'package.json': '{ "name": "shop", "dependencies": { "is-number": "^7.0.0" } }\n',
      'package-lock.json': '{ "name": "shop", "lockfileVersion": 3, "packages": { "": { "dependencies": { "is-number": "^7.0.0" } } } }\n',
    },
    breaks: (world) => world.write('package-lock.json', '{ "name": "shop", "lockfileVersion": 3, "packages": { "": {} } }\n'),
    isWell: 'grep -q is-number package-lock.json',
    expects: {
      cause: 'package-lock.json does not fit the manifest; package-lock.json changed',
      playbook: 'restore_package_lock_json',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: 'a lock file may be changed on purpose',
    },
  },
  {
    family: 'lock_file_outdated',
    title: 'asks before it goes back on a package.json that somebody changed',
    origin: 'pnpm 9, `pnpm install --frozen-lockfile` after a dependency was added',
    recording: 'pnpm-out-of-sync',
    command: ['pnpm', 'run', 'start:clean'],
    files: { 'package.json': '{ "name": "shop" }\n', 'pnpm-lock.yaml': "lockfileVersion: '9.0'\n" },
    breaks: (world) => world.write('package.json', '{ "name": "shop", "dependencies": { "is-number": "^7.0.0" } }\n'),
    isWell: '! grep -q is-number package.json',
    expects: {
      cause: 'pnpm-lock.yaml does not fit the manifest; package.json changed',
      playbook: 'restore_package_json',
      risk: 'high',
      tier: 'tier_3',
      noGuard: 'package.json may be changed on purpose',
    },
  },
];
