import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'package_manager_mismatch',
    title: 'says which package manager the project is for',
    origin: 'pnpm 9, `pnpm start` in a project with "packageManager": "yarn@1.22.22"',
    recording: 'pnpm-wrong-manager',
    command: ['pnpm', 'start'],
    files: { 'package.json': '{ "packageManager": "yarn@1.22.22" }\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the project is for yarn, and pnpm started it', person: 'start it with yarn' },
  },
  {
    family: 'package_manager_mismatch',
    title: 'puts back a package.json that is for another one since the last good boot',
    origin: 'npm 11, `npm start` in a project whose "devEngines" ask for pnpm',
    recording: 'npm-devengines',
    command: ['npm', 'start'],
    files: { 'package.json': '{ "scripts": { "start": "node server.js" } }\n' },
    breaks: (world) =>
      world.write('package.json', '{ "scripts": { "start": "node server.js" }, "devEngines": { "packageManager": { "name": "pnpm" } } }\n'),
    isWell: '! grep -q devEngines package.json',
    expects: {
      cause: 'the project is for pnpm, and npm started it; package.json says so since',
      playbook: 'restore_package_json',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: 'package.json may be changed on purpose',
    },
  },
  {
    family: 'package_manager_mismatch',
    title: 'understands Corepack and yarn, which say it in other words',
    origin: 'yarn 1.22 on Node 20, `yarn start` in a project with "packageManager": "pnpm@9.0.0"',
    recording: 'yarn-wrong-manager',
    command: ['yarn', 'start'],
    files: { 'package.json': '{ "packageManager": "pnpm@9.0.0" }\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the project is for pnpm, and yarn started it', person: 'start it with pnpm' },
  },
];
