import { defineConfig } from 'rolldown';

export default defineConfig({
  input: {
    index: 'src/index.ts',
    cli: 'src/apps/cli/main.ts',
    // The process of a playbook may read one file alone, and what starts it finds it beside itself.
    'playbook-runner': 'src/adapters/node/playbook-runner.ts',
    'playbook-child': 'src/adapters/node/playbook-child.ts',
  },
  platform: 'node',
  resolve: { mainFields: ['module', 'main'] },
  // An optional peer: loaded from the service's project when a PostgreSQL schema is looked at.
  external: ['pg'],
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: 'chunks/[name]-[hash].mjs',
    minify: { compress: true, mangle: false, codegen: false },
    cleanDir: true,
  },
});
