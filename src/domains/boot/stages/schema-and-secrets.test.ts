import { expect, test } from 'vitest';
import { component } from '../../supervisor/testing.ts';
import type { BootContext } from '../boot-context.ts';
import { envCheck } from './schema-and-secrets.ts';

/** Only the example of the env file is there. */
const context = {
  files: { stat: async (path: string) => (path.endsWith('.example') ? { kind: 'file' } : null) },
  core: { environmentOf: async () => ({}) },
} as unknown as BootContext;
const ENV_FILE = { cwd: '/srv/app', envFiles: ['/srv/app/.env'] };

test('an env file that a person named has to be there', async () => {
  const failure = await envCheck(component({ ...ENV_FILE, needsEnvFiles: true }), context);
  expect(failure?.message).toBe('/srv/app/.env is missing; /srv/app/.env.example is there');
});

test('an example alone asks for no env file, and required variables still have to have a value', async () => {
  expect(await envCheck(component({ ...ENV_FILE, needsEnvFiles: false }), context)).toBeNull();
  const failure = await envCheck(component({ ...ENV_FILE, needsEnvFiles: false, requiredEnv: ['API_TOKEN'] }), context);
  expect(failure?.message).toBe('missing required environment: API_TOKEN');
});
