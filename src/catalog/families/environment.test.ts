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

const keysBack = (key: string): string => `add_env_keys {"file":".env","keys":["${key}"],"from":"last_good","replace":true}`;

test('takes a changed address back when exactly that address fails', async () => {
  const world: World = {
    ...lost,
    env: { DATABASE_URL: 'postgres://db:6543/x' },
    disk: { '.env': 'DATABASE_URL=postgres://db:6543/x' },
    drift: [drift('env_key_changed', 'DATABASE_URL')],
    facts: [fact('connection_refused', 'db:6543')],
  };
  expect(stepsOf((await choose(world)).chosen)).toEqual([keysBack('DATABASE_URL')]);
});

test('reads the value that the application itself takes from its env file', async () => {
  const world: World = {
    lastGood: { '.env': 'DATABASE_URL=postgres://db/x\nNOTE=1' },
    disk: { '.env': 'DATABASE_URL=postgres://dbb/x\nNOTE=2' },
    drift: [drift('env_key_changed', 'DATABASE_URL'), drift('env_key_changed', 'NOTE')],
    facts: [fact('host_unresolved', 'dbb')],
  };
  expect(stepsOf((await choose(world)).chosen)).toEqual([keysBack('DATABASE_URL')]);
});

test('takes a wrong name of the database back, and makes no new database', async () => {
  const world: World = {
    lastGood: { '.env': 'DATABASE_URL=postgres://db/shop' },
    disk: { '.env': 'DATABASE_URL=postgres://db/shop_prod' },
    drift: [drift('env_key_changed', 'DATABASE_URL')],
    facts: [fact('database_missing', 'shop_prod')],
  };
  expect(stepsOf((await choose(world)).chosen)).toEqual([keysBack('DATABASE_URL')]);
  const { chosen } = await choose({ ...world, facts: [fact('database_missing', 'shop')] });
  expect(chosen).toBeNull();
});

test('sees that it listens elsewhere because its port was changed', async () => {
  const { chosen } = await choose({
    symptom: 'not_ready',
    component: { port: 3000 },
    lastGood: { '.env': 'PORT=3000' },
    disk: { '.env': 'PORT=3999' },
    drift: [drift('env_key_changed', 'PORT')],
  });
  expect(stepsOf(chosen)).toEqual([keysBack('PORT')]);
  expect(chosen?.confidence).toBeGreaterThanOrEqual(0.8);
});

test('suspects a changed value only at boot, and while nothing else explains the failure', async () => {
  const world: World = {
    lastGood: { '.env': 'DB_SSL=false' },
    disk: { '.env': 'DB_SSL=true' },
    drift: [drift('env_key_changed', 'DB_SSL')],
  };
  expect(stepsOf((await choose(world)).chosen)).toEqual([keysBack('DB_SSL')]);
  expect((await choose({ ...world, stage: 'runtime', symptom: 'smoke' })).chosen?.family).not.toBe('env_changed');
  expect((await choose({ ...world, facts: [fact('connection_refused', '10.0.0.9:99')] })).chosen).toBeNull();
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
  expect(stepsOf((await choose(world)).chosen)).toEqual([keysBack('DB_PASSWORD')]);
  const again = await choose({ ...world, attempts: ['restore_db_password'] });
  expect(again.chosen).toBeNull();
  expect(again.best.cause).toContain('password authentication failed');
});
