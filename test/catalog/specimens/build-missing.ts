import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'build_missing',
    title: 'builds a Next.js project whose build is gone, with its own script',
    origin: 'Next.js 16.4.6 on Node 20, `next start` without a `.next` directory',
    recording: 'node20-next-no-build',
    command: ['next', 'start'],
    files: {
      'package.json': '{ "scripts": { "build": "mkdir -p .next && echo id > .next/BUILD_ID", "start": "next start" } }',
      '.next/BUILD_ID': 'id\n',
    },
    breaks: (world) => world.remove('.next'),
    isWell: 'test -s .next/BUILD_ID',
    expects: { cause: '.next is made by "npm run build"', playbook: 'run_build', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'build_missing',
    title: 'builds what the start command names in a fresh checkout, by running the service itself',
    origin: 'Node: `node dist/main.js` before anybody has built it',
    recording: null,
    command: ['node', 'dist/main.js'],
    files: {
      'package.json': '{ "scripts": { "build": "mkdir -p dist && cp src/main.js src/port.js dist" } }',
      'src/main.js': "if (require('./port.js') !== 3000) throw new Error('port');\n",
      'src/port.js': 'module.exports = 3000;\n',
    },
    isFirstBoot: true,
    breaks: (world) => world.remove('dist'),
    expects: {
      cause: 'dist/main.js is made by "npm run build", which has not run here',
      playbook: 'run_build',
      risk: 'medium',
      tier: 'tier_2',
    },
  },
  {
    family: 'build_missing',
    title: 'builds the package of a workspace that the service imports',
    origin: 'Node: `main` of a package of the workspace names a file that its build makes',
    recording: null,
    command: ['node', 'apps/api/server.js'],
    files: {
      'package.json': '{ "workspaces": ["packages/*", "apps/*"] }',
      'apps/api/server.js': "if (require('../../packages/shared/dist/index.js') !== 1) throw new Error('shared');\n",
      'packages/shared/package.json':
        '{ "name": "@shop/shared", "main": "dist/index.js", "scripts": { "build": "mkdir -p dist && cp index.js dist" } }',
      'packages/shared/index.js': 'module.exports = 1;\n',
    },
    isFirstBoot: true,
    breaks: (world) => world.remove('packages/shared/dist'),
    expects: { cause: 'packages/shared/dist/index.js is made by', playbook: 'run_build', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'build_missing',
    title: 'runs no script that does more than build',
    origin: 'Next.js 16.4.6 on Node 20 through npm, `npm start` without a `.next` directory',
    recording: 'npm-next-no-build',
    command: ['npm', 'start'],
    files: { 'package.json': '{ "scripts": { "build": "prisma migrate deploy && next build", "start": "next start" } }' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'test -d .next',
    expects: { cause: '.next is made by "npm run build"', person: 'it does more than build', waitFor: 'file_change' },
  },
];
