import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'start_timeout',
    title: 'names the plugin that never said that it is ready',
    origin: 'Fastify 5 on Node 26, a plugin that does not call done()',
    recording: 'node26-fastify-plugin-timeout',
    command: ['node', 'server.js'],
    files: { 'server.js': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the plugin database of app did not become ready in time', person: 'see what database waits for' },
  },
];
