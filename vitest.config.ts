import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/*.test.ts', 'test/catalog/*.test.ts', 'examples/**/*.test.ts'],
          exclude: ['test/architecture.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          // By default one core is left to the runner, which has little to do.
          maxWorkers: 2,
        },
      },
      { test: { name: 'architecture', include: ['test/architecture.test.ts'] } },
      // Real processes under a real Grace: one file after the other, they share two cores.
      {
        test: {
          name: 'process',
          include: ['test/process/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      // Projects of real migration tools; they are installed first, which takes a minute. See test/migrations.
      ...(process.env['GRACE_MIGRATION_TOOLS'] === undefined
        ? []
        : [
            {
              test: {
                name: 'migrations',
                include: ['test/migrations/*.test.ts'],
                testTimeout: 120_000,
                hookTimeout: 120_000,
                fileParallelism: false,
              },
            },
          ]),
    ],
  },
});
