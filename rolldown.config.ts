import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { defineConfig } from 'rolldown';

export default defineConfig({
  input: {
    index: 'src/index.ts',
    cli: 'src/apps/cli/main.ts',
    // The process of a playbook may read one file alone, and what starts it finds it beside itself.
    'playbook-runner': 'src/adapters/node/playbook-runner.ts',
    'playbook-child': 'src/adapters/node/playbook-child.ts',
    // A thread in which texts of any kind are parsed, and the process in which code of the service is asked.
    'config-lint-worker': 'src/adapters/node/config-lint-worker.ts',
    'openapi-worker': 'src/adapters/node/openapi-worker.ts',
    'check-module-child': 'src/adapters/node/check-module-child.ts',
    // A thread in which the modules of a service are read.
    'import-graph-worker': 'src/adapters/import-graph/import-graph-worker.ts',
    // A thread in which calls that nobody waits for are looked for.
    'module-calls-worker': 'src/adapters/import-graph/module-calls-worker.ts',
    // A thread of its own, for reading whole databases.
    'sqlite-proof-worker': 'src/adapters/databases/sqlite-proof-worker.ts',
    // The process in which migrations are run against an empty SQLite database.
    'sqlite-scratch-child': 'src/adapters/databases/sqlite-scratch-child.ts',
  },
  platform: 'node',
  resolve: { mainFields: ['module', 'main'] },
  // An optional peer: loaded from the service's project when a PostgreSQL schema is looked at.
  external: ['pg'],
  plugins: [
    {
      // What the bundler cannot see: load-cedar.ts reads it when the first decision is needed.
      name: 'assets',
      generateBundle() {
        const file = join(createRequire(import.meta.url).resolve('@cedar-policy/cedar-wasm/nodejs'), '../../web/cedar_wasm_bg.wasm');
        this.emitFile({ type: 'asset', fileName: 'cedar.wasm', source: readFileSync(file) });
        // ambient-types.ts writes it out for projects that have not installed grace-runtime.
        this.emitFile({
          type: 'asset',
          fileName: 'primitive-params.txt',
          source: readFileSync('src/domains/playbooks/primitive-params.ts'),
        });
        for (const name of ['grace.cedarschema', 'tiers.cedar', 'limits.cedar', 'modes.cedar', 'people.cedar'])
          this.emitFile({ type: 'asset', fileName: `policies/${name}`, source: readFileSync(`src/catalog/policies/${name}`) });
      },
    },
  ],
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: 'chunks/[name]-[hash].mjs',
    minify: { compress: true, mangle: false, codegen: false },
    cleanDir: true,
  },
});
