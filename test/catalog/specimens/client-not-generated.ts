import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'client_not_generated',
    title: 'generates the client after its packages were installed anew',
    origin:
      'Prisma 6.19.3 on Node 20, @prisma/client installed and `prisma generate` not run; the tool is a stand-in that generates one file',
    recording: 'node20-prisma-not-generated',
    command: ['node', 'server.js'],
    files: {
      'server.js': '',
      'package.json': '{ "name": "shop" }',
      'prisma/schema.prisma': 'generator client {\n}\n',
      'node_modules/.prisma/client/default.js': 'module.exports = {};\n',
      'node_modules/.bin/prisma': {
        text: '#!/bin/sh\ntest "$1" = generate && echo "module.exports = {};" > node_modules/.prisma/client/default.js\n',
        mode: 0o755,
      },
    },
    breaks: (world) =>
      world.write('node_modules/.prisma/client/default.js', "throw new Error('@prisma/client did not initialize yet.');\n"),
    isWell: '! grep -q "did not initialize" node_modules/.prisma/client/default.js',
    expects: { cause: 'generated from the schema', playbook: 'generate_prisma_client', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'client_not_generated',
    title: 'leaves it to a person where the tool is not installed',
    origin: 'Prisma 6.19.3 on Node 20, @prisma/client installed without its development packages',
    recording: 'node20-prisma-not-generated',
    command: ['node', 'server.js'],
    files: { 'server.js': '', 'package.json': '{ "name": "shop" }' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'prisma is not installed here', person: 'run prisma generate' },
  },
];
