import { expect, test } from 'vitest';
import { choose, drift, fact, stepsOf, type World } from './testing.ts';

const sick: World = { symptom: 'smoke', facts: [fact('secret_mismatch', 'credentials')] };
const settings = "module.exports = {\n  credentialSecret: 'correct horse battery',\n  port: 1880,\n};\n";

test('puts the settings back whose secret the data was written with', async () => {
  const world: World = {
    ...sick,
    disk: { 'data/settings.js': settings.replace('correct horse battery', 'another one') },
    lastGood: { 'data/settings.js': settings },
    drift: [drift('changed', 'data/settings.js')],
  };
  const { chosen } = await choose(world);
  expect(chosen).toMatchObject({
    family: 'secret_changed',
    cause: 'credentials cannot be decrypted since data/settings.js has another secret',
  });
  expect(stepsOf(chosen)).toEqual(['restore_file {"path":"data/settings.js"}']);
  expect(JSON.stringify(chosen)).not.toContain('horse');
});

test('puts only the secret back into an env file, and no secret that is the same', async () => {
  const world: World = {
    ...sick,
    component: { envFiles: ['/srv/app/.env'] },
    disk: { '.env': 'APP_KEY=new-one\nCOLOUR=blue\nSALT=1234567\n' },
    lastGood: { '.env': 'APP_KEY=old-one\nCOLOUR=red\nSALT=1234567\n' },
    drift: [drift('env_key_changed', 'APP_KEY'), drift('env_key_changed', 'COLOUR')],
  };
  const { chosen } = await choose(world);
  expect(chosen?.family).toBe('secret_changed');
  expect(stepsOf(chosen)).toEqual(['add_env_keys {"file":".env","keys":["APP_KEY"],"from":"last_good","replace":true}']);
});

test('invents no secret: without the former one a person is asked', async () => {
  const world: World = {
    ...sick,
    disk: { 'settings.js': settings.replace('1880', '1881') },
    lastGood: { 'settings.js': settings },
    drift: [drift('changed', 'settings.js')],
  };
  const { best, chosen } = await choose(world);
  expect(chosen).toBeNull();
  expect(best).toMatchObject({ family: 'secret_changed', remedy: null });
  expect(best.advice.join()).toContain('do not let it save');
});
