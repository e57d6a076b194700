import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'package_manager_unavailable',
    title: 'switches no check of signatures off',
    origin: 'Corepack 0.34 on Node 20, whose registry gives no signature that it knows',
    recording: 'corepack-cannot-download',
    command: ['pnpm', 'start'],
    files: { 'package.json': '{ "name": "shop" }\n' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'Corepack is to fetch pnpm before app can start', person: 'install pnpm with the service' },
  },
];
