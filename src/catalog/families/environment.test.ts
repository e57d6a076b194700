import { expect, test } from 'vitest';
import { envFileMissing } from './env-file-missing.ts';
import { envMissing } from './env-missing.ts';
import { choose, dependency, drift, fact, guardAfter, stepsOf, type World } from './testing.ts';

const EXAMPLE = '# secret: generate 32 bytes\nAPI_TOKEN=\nPORT=3000\nSTRIPE_KEY=\nDB_PASSWORD=changeme\n';

test('puts a missing env file back from the last good boot before it looks at the example', async () => {
  const { chosen } = await choose({
    component: { envFiles: ['/srv/app/.env'] },
    disk: { '.env.example': EXAMPLE },
    lastGood: { '.env': 'API_TOKEN=x\n' },
    facts: [fact('env_missing', 'API_TOKEN')],
  });
  expect(stepsOf(chosen)).toEqual(['restore_file {"path":".env"}']);
  expect(chosen?.confidence).toBeGreaterThan(0.9);
});

const fresh: World = {
  component: { envFiles: ['/srv/app/.env'] },
  disk: { '.env.example': EXAMPLE },
  facts: [fact('env_missing', 'API_TOKEN')],
};

test('makes the env file from its example at the first boot', async () => {
  const { chosen } = await choose(fresh);
  expect(stepsOf(chosen)).toEqual(['create_env_file {"file":".env","example":".env.example"}']);
  expect(chosen?.remedy).toMatchObject({ playbook: 'create_default_env', tier: 'tier_1' });
  expect(await guardAfter(envFileMissing, fresh, fresh)).toContain('.env is missing');
  expect(await guardAfter(envFileMissing, fresh, { ...fresh, disk: { '.env': 'API_TOKEN=1' } })).toBeNull();
});

test('finds the env file that only the command names', async () => {
  const { chosen } = await choose({
    component: { command: ['node', '--env-file=.env', 'server.js'] },
    disk: { '.env.example': 'URL=postgres://x\n' },
    facts: [fact('path_missing', '.env')],
  });
  expect(stepsOf(chosen)).toEqual(['create_env_file {"file":".env","example":".env.example"}']);
});

test('does not make an env file when the example leaves a needed secret open', async () => {
  const { best, chosen } = await choose({ ...fresh, facts: [fact('env_missing', 'STRIPE_KEY')] });
  expect(chosen).toBeNull();
  expect(best.cause).toContain('STRIPE_KEY');
});

test('leaves the example alone when nothing speaks of the environment', async () => {
  const { all } = await choose({ disk: { '.env.example': EXAMPLE }, facts: [fact('exception', 'TypeError')] });
  expect(all.map((d) => d.family)).not.toContain('env_file_missing');
});

const lost: World = {
  component: { envFiles: ['/srv/app/.env'] },
  disk: { '.env': 'PORT=3000\n', '.env.example': EXAMPLE },
  lastGood: { '.env': 'PORT=3000\nDATABASE_URL=postgres://x\n' },
};

test('adds a key back that the last good env file had', async () => {
  const { chosen } = await choose({ ...lost, facts: [fact('env_missing', 'DATABASE_URL')] });
  expect(stepsOf(chosen)).toEqual(['add_env_keys {"file":".env","keys":["DATABASE_URL"],"from":"last_good"}']);
});

test('adds a key back although the output only tells of its consequence', async () => {
  const sick: World = { ...lost, drift: [drift('env_key_missing', 'DATABASE_URL')], facts: [fact('connection_refused', '127.0.0.1:5432')] };
  expect(stepsOf((await choose(sick)).chosen)).toEqual(['add_env_keys {"file":".env","keys":["DATABASE_URL"],"from":"last_good"}']);
  expect(await guardAfter(envMissing, sick, sick)).toContain('DATABASE_URL is not set');
  expect(await guardAfter(envMissing, sick, { ...sick, disk: { '.env': 'DATABASE_URL=x' } })).toBeNull();
});

test('leaves the env file alone when the service only hangs', async () => {
  const { chosen } = await choose({ ...lost, stage: 'runtime', symptom: 'liveness', drift: [drift('env_key_missing', 'DATABASE_URL')] });
  expect(chosen?.family).toBe('hung');
});

test('generates a secret only where the example allows it', async () => {
  const world: World = { ...lost, lastGood: {} };
  expect(stepsOf((await choose({ ...world, facts: [fact('env_missing', 'API_TOKEN')] })).chosen)).toEqual([
    'add_env_keys {"file":".env","keys":["API_TOKEN"],"from":"generate"}',
  ]);
  for (const key of ['STRIPE_KEY', 'DB_PASSWORD', 'ELSEWHERE']) {
    const { best, chosen } = await choose({ ...world, facts: [fact('env_missing', key)] });
    expect(chosen, key).toBeNull();
    expect(best.cause, key).toContain(`${key} is not set`);
  }
});

test('says when a variable came from outside of the env files', async () => {
  const { best, chosen } = await choose({
    facts: [fact('env_missing', 'TOKEN')],
    drift: [drift('env_key_missing', 'TOKEN', { canRestore: false })],
  });
  expect(chosen).toBeNull();
  expect(best.cause).toContain('from outside');
});

test('takes a changed address back when exactly that address fails', async () => {
  const world: World = {
    ...lost,
    env: { DATABASE_URL: 'postgres://db:6543/x' },
    disk: { '.env': 'DATABASE_URL=postgres://db:6543/x' },
    drift: [drift('env_key_changed', 'DATABASE_URL')],
    facts: [fact('connection_refused', 'db:6543')],
  };
  expect(stepsOf((await choose(world)).chosen)).toEqual(['restore_file {"path":".env"}']);
});

test('holds on a wrong password, whatever else changed', async () => {
  const { best, chosen } = await choose({
    facts: [fact('auth_failed', 'app', { details: { engine: 'postgres' } })],
    drift: [drift('changed', 'server.js')],
    components: [dependency()],
    reachable: ['127.0.0.1:5432'],
  });
  expect(chosen).toBeNull();
  expect(best.cause).toContain('password authentication failed for user "app"');
  expect(best.advice.length).toBeGreaterThan(0);
});

test('puts credentials back only when ours are the ones that changed', async () => {
  const world: World = {
    ...lost,
    disk: { '.env': 'DB_PASSWORD=b' },
    lastGood: { '.env': 'DB_PASSWORD=a' },
    drift: [drift('env_key_changed', 'DB_PASSWORD')],
    facts: [fact('auth_failed', 'app')],
  };
  expect(stepsOf((await choose(world)).chosen)).toEqual(['restore_file {"path":".env"}']);
  const again = await choose({ ...world, attempts: ['restore_env'] });
  expect(again.chosen).toBeNull();
  expect(again.best.cause).toContain('password authentication failed');
});
