import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'path_alias_unresolved',
    title: 'asks for no package called @',
    origin: 'Node 26, require() of an alias that TypeScript left in what it wrote',
    recording: 'node26-path-alias',
    command: ['node', 'alias.js'],
    files: {
      'alias.js': "require('@/config');\n",
      'package.json': '{ "name": "app" }\n',
      'tsconfig.json': '{ "compilerOptions": { "baseUrl": ".", "paths": { "@/*": ["src/*"] } } }\n',
    },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: '@/config is an alias for a path of tsconfig.json, which Node does not know', person: 'tsc-alias' },
  },
];
