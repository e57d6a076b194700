import { stripTypeScriptTypes } from 'node:module';
import { expect, it } from 'vitest';
import { ConfigProject } from './config-project.ts';
import { detectProject } from './detect.ts';
import { checkAndResolve } from './load-config.ts';
import { renderConfigFile } from './write-init.ts';

it('writes what was worked out, and why', () => {
  using project = new ConfigProject({
    'package.json': { name: 'orders', scripts: { start: 'node api.ts', migrate: 'node migrate.ts' } },
    '.env.example': 'PORT=4610\nDATABASE_PATH=data/orders.db\n',
  });
  expect(renderConfigFile(detectProject(project.dir, null, {}))).toBe(`import type { GraceConfigFile } from 'grace-runtime';

/** How Grace runs this service: grace up. The folder of this file is the working directory. */
export default {
  // name in package.json
  name: 'orders',
  components: {
    orders: {
      // package.json has scripts.start
      command: ['node', 'api.ts'],
      // .env.example says what .env should hold
      envFile: '.env',
      // PORT in .env.example
      port: 4610,
      // package.json has the script migrate
      migrate: ['node', 'migrate.ts'],
      // DATABASE_PATH in .env.example
      database: '$DATABASE_PATH',
      // readiness: { http: '/ready' },
      // liveness: { http: '/health' },
    },
  },
} satisfies GraceConfigFile;
`);
});

it('writes a config that means what was worked out', async () => {
  using project = new ConfigProject({
    Procfile: `web-1: node --env-file=.env "it's \\\\ \\"quoted\\".js" --port 4000\nworker: node w.js\nrelease: node m.js\n`,
    '.env': 'DATABASE_URL=x\n',
  });
  const text = renderConfigFile(detectProject(project.dir, null, {}));
  const module = (await import(`data:text/javascript,${encodeURIComponent(stripTypeScriptTypes(text))}`)) as { default: unknown };
  const request = { directory: project.dir, environment: {} };
  const written = await checkAndResolve(request, { file: `${project.dir}/grace.config.ts`, data: module.default, locate: () => null });
  const detected = await checkAndResolve(request, null);
  // A file that was only found may be missing; one that a config names may not.
  expect(written.components).toEqual(detected.components.map((c) => ({ ...c, needsEnvFiles: c.envFiles.length > 0 })));
  expect(written.components[0]?.command).toEqual(['node', '--env-file=.env', `it's \\ "quoted".js`, '--port', '4000']);
});
