import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'registered_twice',
    title: 'asks before it goes back on the file that registers a route twice',
    origin: 'Fastify 5 on Node 26, the same route declared twice',
    recording: 'node26-fastify-route-twice',
    command: ['node', 'server.js'],
    files: { 'server.js': "fastify.get('/orders', list);\n" },
    breaks: (world) => world.write('server.js', "fastify.get('/orders', list);\n\nfastify.get('/orders', list);\n"),
    isWell: 'test "$(grep -c orders server.js)" = 1',
    expects: {
      cause: 'GET /orders is registered twice; server.js changed',
      playbook: 'restore_server_js',
      risk: 'high',
      tier: 'tier_3',
      noGuard: 'code that changed may be meant',
    },
  },
  {
    family: 'registered_twice',
    title: 'reads it from a structured log',
    origin: 'Fastify 5 on Node 26 with its logger, the same decorator added twice',
    recording: 'node26-fastify-decorator-twice',
    command: ['node', 'server.js'],
    files: { 'server.js': '' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'db is registered twice', person: 'register db once' },
  },
];
