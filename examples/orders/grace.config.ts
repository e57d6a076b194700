/** How Grace runs this service. The folder of this file is the working directory of every command. */
const node = process.execPath;

export default {
  name: 'orders',
  components: {
    api: {
      command: [node, 'api.ts'],
      envFile: '.env',
      port: 4610,
      readiness: { http: '/ready' },
      liveness: { http: '/health' },
      migrate: [node, 'migrate.ts'],
      critical: true,
      data: ['data'],
    },
    worker: {
      command: [node, 'worker.ts'],
      dependsOn: ['api'],
      envFile: '.env',
      readiness: { file: 'data/worker.heartbeat', maxAge: '5s' },
    },
  },
  smoke: [{ name: 'order goes through', command: [node, 'smoke.ts'] }],
};
