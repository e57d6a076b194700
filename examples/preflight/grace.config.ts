import type { GraceConfigFile } from 'grace-runtime';

export default {
  name: 'price-list',
  components: {
    api: {
      command: 'node server.mjs',
      env: { PORT: process.env['PORT'] ?? '4640' },
      envSchema: 'env.ts',
      routes: ['GET /'],
      readiness: { http: 'http://127.0.0.1:4640/' },
    },
  },
  preflight: {
    checks: [
      { name: 'node_version', command: ['node', '-e', 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)'] },
      { name: 'price_list', module: 'checks/price-list.ts', severity: 'warn' },
    ],
  },
} satisfies GraceConfigFile;
