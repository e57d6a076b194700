import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'workspace_unlinked',
    title: 'links the packages of the workspace again, by running the service itself',
    origin: 'npm 11 and Node, the link of a workspace package was deleted from node_modules',
    recording: null,
    command: ['node', 'server.js'],
    files: {
      'package.json': '{ "name": "shop", "private": true, "workspaces": ["packages/*"] }\n',
      'packages/shared/package.json': '{ "name": "@shop/shared", "version": "1.0.0", "main": "index.js" }\n',
      'packages/shared/index.js': 'module.exports = 1;\n',
      'server.js': "if (require('@shop/shared') !== 1) throw new Error('shared');\n",
    },
    prepares: (world) => void world.run(['npm', 'install', '--silent', '--no-audit', '--no-fund']),
    breaks: (world) => world.remove('node_modules/@shop'),
    expects: {
      cause: '@shop/shared is a package of this workspace, in packages/shared, and node_modules has no link to it',
      playbook: 'link_workspace_packages',
      risk: 'medium',
      tier: 'tier_2',
    },
  },
];
