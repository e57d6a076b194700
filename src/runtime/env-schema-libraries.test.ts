import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { askHttp } from '../adapters/node/ask-http.ts';
import { checkModules } from '../adapters/node/check-module.ts';
import { nodeClock } from '../adapters/node/clock.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import { lintInThread } from '../adapters/node/lint-in-thread.ts';
import { openApiInThread } from '../adapters/node/openapi-in-thread.ts';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { envSchema } from '../catalog/checks/env-schema.ts';
import { ask, serviceFolder } from '../catalog/checks/testing.ts';

const PORTS = {
  clock: nodeClock,
  files: nodeFiles,
  spawner: nodeSpawner,
  lint: lintInThread,
  runModule: checkModules(nodeSpawner),
  ask: askHttp,
  readOpenApi: openApiInThread,
};
const CANARY = 'canary-9d2f7b1e';

/** The same schema as each library writes it: a port with a default, an address, a level of two, a key of at least 20 characters. */
const LIBRARIES = {
  zod: `import * as z from 'zod';
export const schema = z.object({
  PORT: z.coerce.number().int().min(1).max(65535).default(3000),
  DATABASE_URL: z.url(),
  LEVEL: z.enum(['debug', 'info']),
  API_KEY: z.string().min(20),
});`,
  valibot: `import * as v from 'valibot';
export const schema = v.object({
  PORT: v.optional(v.pipe(v.string(), v.regex(/^\\d+$/), v.transform(Number), v.minValue(1), v.maxValue(65535)), '3000'),
  DATABASE_URL: v.pipe(v.string(), v.url()),
  LEVEL: v.picklist(['debug', 'info']),
  API_KEY: v.pipe(v.string(), v.minLength(20)),
});`,
  arktype: `import { type } from 'arktype';
export const schema = type({
  PORT: type('string.integer.parse').to('1 <= number <= 65535').default('3000'),
  DATABASE_URL: 'string.url',
  LEVEL: "'debug' | 'info'",
  API_KEY: 'string >= 20',
});`,
};

const GOOD = { DATABASE_URL: 'postgres://db.example/orders', LEVEL: 'info', API_KEY: `${CANARY}-long-enough-for-all` };

describe.each(Object.entries(LIBRARIES))('an environment schema of %s', (library, source) => {
  const check = async (env: Readonly<Record<string, string>>) => {
    const dir = serviceFolder({ 'env.mjs': source });
    symlinkSync(join(import.meta.dirname, '../../node_modules'), join(dir, 'node_modules'));
    return ask(envSchema, dir, PORTS, {
      env,
      settings: { envSchemas: new Map([['api', { file: join(dir, 'env.mjs'), exportName: 'schema' }]]) },
    });
  };
  const namesIn = (findings: readonly { readonly message: string }[]): readonly string[] =>
    findings.map(({ message }) => message.split(' ', 1)[0] ?? '').toSorted();

  test('that is met says nothing, and takes its defaults', async () => {
    expect(await check(GOOD)).toEqual([]);
    expect(await check({ ...GOOD, PORT: '8080' })).toEqual([]);
  });

  test('names each variable that is missing', async () => {
    const findings = await check({});
    expect(namesIn(findings)).toEqual(['API_KEY', 'DATABASE_URL', 'LEVEL']);
    expect(
      findings.every(({ severity, code, message }) => severity === 'error' && code === 'env_invalid' && message.includes(' is not set: ')),
    ).toBe(true);
  });

  test('names each variable that is wrong, and shows no value', async () => {
    const findings = await check({
      PORT: '99999',
      DATABASE_URL: `${CANARY} no url`,
      LEVEL: `${CANARY}-loud`,
      API_KEY: CANARY.slice(0, 10),
    });
    expect(namesIn(findings)).toEqual(['API_KEY', 'DATABASE_URL', 'LEVEL', 'PORT']);
    expect(JSON.stringify(findings)).not.toContain(CANARY.slice(0, 10));
    expect(findings.every(({ hint }) => hint?.includes('env.mjs'))).toBe(true);
  });

  test('that is never installed is one error which says so', async () => {
    const dir = serviceFolder({ 'env.mjs': source });
    const findings = await ask(envSchema, dir, PORTS, {
      env: GOOD,
      settings: { envSchemas: new Map([['api', { file: join(dir, 'env.mjs'), exportName: 'schema' }]]) },
    });
    expect(findings.map(({ code }) => code)).toEqual(['env_schema_unusable']);
    expect(findings[0]?.message).toContain(library);
  });
});
