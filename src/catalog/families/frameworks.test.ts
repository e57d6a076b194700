import { describe, expect, test } from 'vitest';
import { applicationNotFound } from './application-not-found.ts';
import { applicationUnnamed } from './application-unnamed.ts';
import { assetsNotBuilt } from './assets-not-built.ts';
import { classNotLoaded } from './class-not-loaded.ts';
import { driverMissing } from './driver-missing.ts';
import { encryptionKeyWrong } from './encryption-key-wrong.ts';
import { importPath } from './import-path.ts';
import { migrationHistoryBroken } from './migration-history-broken.ts';
import { moduleShadowed } from './module-shadowed.ts';
import { refusesRoot } from './refuses-root.ts';
import { runtimeExtensionMissing } from './runtime-extension-missing.ts';
import { settingRefused } from './setting-refused.ts';
import { ask, choose, drift, fact, guardAfter, stepsOf, type World } from './testing.ts';
import { usedTooEarly } from './used-too-early.ts';
import { virtualEnvironmentBroken } from './virtual-environment-broken.ts';
import { workerTimeout } from './worker-timeout.ts';

const python = { runtime: 'python' } as const;
const FLASK = 'from flask import Flask\n\napp = Flask(__name__)\n';
const MANAGE = "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')\n";

describe('application_unnamed', () => {
  const unnamed = fact('application_missing', 'FLASK_APP', { ...python, code: 'flask', details: { reason: 'unnamed' } });

  test('names the only application there is', async () => {
    const [answer] = await ask(applicationUnnamed, {
      facts: [unnamed],
      disk: { 'shop.py': FLASK, 'setup.py': FLASK, 'prices.py': 'x = 1' },
    });
    expect(stepsOf(answer)).toEqual(['set_env_override {"name":"FLASK_APP","value":"shop"}']);
  });

  test('does not choose between two, nor invent one', async () => {
    expect((await ask(applicationUnnamed, { facts: [unnamed], disk: { 'a.py': FLASK, 'b.py': FLASK } }))[0]?.remedy).toBeNull();
    expect((await ask(applicationUnnamed, { facts: [unnamed], disk: { 'a.py': 'x = 1' } }))[0]?.remedy).toBeNull();
  });

  test('leaves a variable to its last good value, and one that is set to whoever set it', async () => {
    expect(await ask(applicationUnnamed, { facts: [unnamed], drift: [drift('env_key_missing', 'FLASK_APP')] })).toEqual([]);
    expect(await ask(applicationUnnamed, { facts: [unnamed], env: { FLASK_APP: 'x' } })).toEqual([]);
  });

  test('does not guess settings that manage.py and wsgi.py do not agree about', async () => {
    const django = fact('application_missing', 'DJANGO_SETTINGS_MODULE', { ...python, code: 'django', details: { reason: 'unnamed' } });
    const disk = {
      'manage.py': MANAGE,
      'mysite/settings.py': '',
      'mysite/prod.py': '',
      'mysite/wsgi.py': MANAGE.replace('.settings', '.prod'),
    };
    expect((await ask(applicationUnnamed, { facts: [django], disk }))[0]?.remedy).toBeNull();
  });
});

describe('application_not_found', () => {
  const wanted = fact('application_missing', 'api:app', {
    ...python,
    code: 'asgi',
    details: { reason: 'attribute', module: 'api', attribute: 'app' },
  });

  test('goes back on code only after a person agreed', async () => {
    const disk = { 'api.py': 'api = FastAPI()\n' };
    const [answer] = await ask(applicationNotFound, {
      facts: [wanted],
      disk,
      drift: [drift('changed', 'api.py')],
      lastGood: { 'api.py': FLASK },
    });
    expect(answer?.remedy).toMatchObject({ tier: 'tier_3', risk: 'high' });
  });

  test('says nothing of a module that is there and fails for another reason', async () => {
    const missing = fact('module_missing', 'server', { ...python, code: 'asgi' });
    expect(await ask(applicationNotFound, { facts: [missing], disk: { 'server.py': 'import nothing' } })).toEqual([]);
    expect(await ask(applicationNotFound, { facts: [missing], disk: {} })).toHaveLength(1);
  });
});

describe('setting_refused', () => {
  const refused = fact('setting_refused', 'ALLOWED_HOSTS', { ...python, details: { framework: 'django' } });
  const disk = { 'manage.py': MANAGE, 'mysite/settings.py': "INSTALLED_APPS = ['orders', 'payments']\n" };

  test('tries a variable that changed before it blames the settings', async () => {
    const [calm] = await ask(settingRefused, { facts: [refused], disk });
    const [changed] = await ask(settingRefused, { facts: [refused], disk, drift: [drift('env_key_changed', 'HOSTS')] });
    expect(calm?.confidence).toBeGreaterThan(0.7);
    expect(changed?.confidence).toBeLessThan(0.7);
  });

  test('never advises to let in any host', async () => {
    const [answer] = await ask(settingRefused, { facts: [refused], disk });
    expect(answer?.remedy).toBeNull();
    expect(answer?.advice.join()).toContain('* would let in any');
  });
});

describe('virtual_environment_broken', () => {
  const gone = fact('command_missing', '.venv/bin/gunicorn', { runtime: 'shell' });
  const disk = { '.venv/pyvenv.cfg': 'version = 3.11.2\n', '.venv/bin/python3': { link: '/opt/python3.11' }, '.venv/bin/gunicorn': '' };

  test('links it to the same version, and looks at the link from then on', async () => {
    const sick: World = { facts: [gone], disk, commands: { 'python3.11': '/usr/bin/python3.11' } };
    expect(stepsOf((await ask(virtualEnvironmentBroken, sick))[0])).toEqual(['relink_interpreter {"directory":".venv"}']);
    expect(await guardAfter(virtualEnvironmentBroken, sick, sick)).toContain('.venv/bin/python3 leads to nothing');
    expect(await guardAfter(virtualEnvironmentBroken, sick, { disk: { '.venv/bin/python3': '' } })).toBeNull();
  });

  test('says nothing when its Python is there, and heals nothing with another version', async () => {
    expect(await ask(virtualEnvironmentBroken, { facts: [gone], disk: { ...disk, '.venv/bin/python3': '' } })).toEqual([]);
    expect(
      (await ask(virtualEnvironmentBroken, { facts: [gone], disk, commands: { 'python3.12': '/usr/bin/python3.12' } }))[0]?.remedy,
    ).toBeNull();
  });
});

describe('runtime_extension_missing', () => {
  const intl = fact('runtime_extension_missing', 'intl', { runtime: 'php' });

  test('is surer when the program needed it than when the start only warned of it', async () => {
    const warned = { ...intl, details: { isWarning: true } };
    expect((await ask(runtimeExtensionMissing, { facts: [intl] }))[0]).toMatchObject({ confidence: 0.85, remedy: null });
    expect((await ask(runtimeExtensionMissing, { facts: [warned, fact('exception', 'X')] }))[0]?.confidence).toBeLessThan(0.7);
  });
});

describe('driver_missing', () => {
  const pg = fact('driver_missing', 'MySQLdb', python);

  test('leaves it to the packages when the lock file asks for what is missing', async () => {
    const packages = { manager: 'pip', directory: '/srv/app', lockFile: '/srv/app/requirements.txt', missing: ['mysqlclient'] } as const;
    expect(await ask(driverMissing, { facts: [pg], packages })).toEqual([]);
    expect(stepsOf((await choose({ facts: [pg, fact('module_missing', 'MySQLdb', python)], packages })).chosen)).toEqual([
      'install_packages {"directory":"/srv/app"}',
    ]);
  });

  test('does not put an address back for the kind of database', async () => {
    const dialect = fact('driver_missing', 'postgres', { ...python, details: { reason: 'dialect' } });
    expect((await ask(driverMissing, { facts: [dialect] }))[0]).toMatchObject({
      remedy: null,
      cause: expect.stringContaining('postgresql://'),
    });
  });
});

describe('class_not_loaded', () => {
  const kernel = fact('class_missing', 'Shop\\Web\\OrderMailer', { runtime: 'php' });

  test('knows the file of a class by either way to write it', async () => {
    for (const path of ['src/OrderMailer.php', 'app/order_mailer.rb'])
      expect((await ask(classNotLoaded, { facts: [kernel], drift: [drift('missing', path)] }))[0]?.remedy?.steps).toHaveLength(1);
  });

  test('does not guess between two files that are gone', async () => {
    const two = [drift('missing', 'src/OrderMailer.php'), drift('missing', 'old/OrderMailer.php')];
    expect((await ask(classNotLoaded, { facts: [kernel], drift: two }))[0]?.remedy).toBeNull();
  });

  test('does not run Composer for a class that has no file', async () => {
    const packages = { manager: 'composer', directory: '/srv/app' } as const;
    const disk = { 'composer.json': '{"autoload": {"psr-4": {"Shop\\\\Web\\\\": ["src"]}}}' };
    expect((await ask(classNotLoaded, { facts: [kernel], packages, disk }))[0]?.remedy).toBeNull();
    const there = { ...disk, 'src/OrderMailer.php': '<?php' };
    expect(stepsOf((await ask(classNotLoaded, { facts: [kernel], packages, disk: there }))[0])).toEqual([
      'install_packages {"directory":"/srv/app"}',
    ]);
    expect((await ask(classNotLoaded, { facts: [kernel], packages, disk: { ...there, 'composer.json': '{' } }))[0]?.remedy).toBeNull();
  });
});

describe('import_path', () => {
  const shop = fact('module_missing', 'shop.server', python);
  const disk = { 'src/shop/server.py': '' };

  test('adds to what the variable says already', async () => {
    expect(stepsOf((await ask(importPath, { facts: [shop], disk, env: { PYTHONPATH: 'lib' } }))[0])).toEqual([
      'set_env_override {"name":"PYTHONPATH","value":"lib:src"}',
    ]);
  });

  test('says nothing when that is looked at already, or the package lies beside the command', async () => {
    expect(await ask(importPath, { facts: [shop], disk, env: { PYTHONPATH: 'src' } })).toEqual([]);
    expect(await ask(importPath, { facts: [shop], disk: { ...disk, 'shop/__init__.py': '' } })).toEqual([]);
    expect(await ask(importPath, { facts: [fact('module_missing', '../shop', python)], disk })).toEqual([]);
    expect(await ask(importPath, { facts: [fact('module_missing', 'shop.server', { runtime: 'node' })], disk })).toEqual([]);
  });
});

describe('module_shadowed', () => {
  test('never renames code', async () => {
    const [answer] = await ask(moduleShadowed, { facts: [fact('module_shadowed', '/srv/app/redis.py', python)], disk: { 'redis.py': '' } });
    expect(answer).toMatchObject({ remedy: null, cause: 'redis.py is called like the package redis and hides it' });
    expect(await ask(moduleShadowed, { facts: [fact('circular_import', 'redis', python)] })).toEqual([]);
  });
});

describe('used_too_early', () => {
  const early = fact('used_too_early', 'apps', { ...python, code: 'AppRegistryNotReady' });
  const frames = [{ path: '/srv/app/worker.py', function: '<module>', line: 1, inDependency: false, package: null }];

  test('goes back on code only where it changed, and only after a person agreed', async () => {
    expect((await ask(usedTooEarly, { facts: [early], frames }))[0]?.remedy).toBeNull();
    expect((await ask(usedTooEarly, { facts: [early], frames, drift: [drift('changed', 'worker.py')] }))[0]?.remedy?.tier).toBe('tier_3');
    expect((await ask(usedTooEarly, { facts: [early], frames, drift: [drift('changed', 'other.py')] }))[0]?.remedy).toBeNull();
  });
});

describe('encryption_key_wrong', () => {
  const wrong = fact('encryption_key_wrong', 'config/master.key', {
    runtime: 'ruby',
    details: { reason: 'wrong', variable: 'RAILS_MASTER_KEY' },
  });

  test('puts back what is encrypted as well, when that is what changed', async () => {
    const lastGood = { 'config/master.key': 'k', 'config/credentials.yml.enc': 'x' };
    const disk = { 'config/master.key': 'k', 'config/credentials.yml.enc': '' };
    const [answer] = await ask(encryptionKeyWrong, {
      facts: [wrong],
      lastGood,
      disk,
      drift: [drift('changed', 'config/credentials.yml.enc')],
    });
    expect(stepsOf(answer)).toEqual(['restore_file {"path":"config/credentials.yml.enc"}']);
  });

  test('makes no key up, and lets a variable that changed go first', async () => {
    const [calm] = await ask(encryptionKeyWrong, { facts: [wrong] });
    expect(calm).toMatchObject({ remedy: null, confidence: 0.85 });
    const [changed] = await ask(encryptionKeyWrong, { facts: [wrong], drift: [drift('env_key_changed', 'RAILS_MASTER_KEY')] });
    expect(changed?.confidence).toBeLessThan(0.7);
  });
});

describe('migration_history_broken', () => {
  const gone = fact('migration_failed', 'b2c3', { ...python, details: { tool: 'alembic', reason: 'missing' } });
  const lastGood = { 'migrations/versions/b2c3_x.py': "revision = 'b2c3'", 'lib/b2c3.py': '' };

  test('puts back the migration that is asked for, and no other file of that name', async () => {
    const [answer] = await ask(migrationHistoryBroken, {
      facts: [gone],
      lastGood,
      drift: [drift('missing', 'migrations/versions/b2c3_x.py'), drift('missing', 'lib/b2c3.py')],
    });
    expect(stepsOf(answer)).toEqual(['restore_file {"path":"migrations/versions/b2c3_x.py"}']);
  });

  test('does nothing to a history that another release has written', async () => {
    const [answer] = await ask(migrationHistoryBroken, { facts: [gone] });
    expect(answer).toMatchObject({ remedy: null, cause: expect.stringContaining('the code does not have it') });
    expect(await ask(migrationHistoryBroken, { facts: [fact('migration_failed', 'x')] })).toEqual([]);
  });
});

describe('worker_timeout', () => {
  const slow = fact('worker_timeout', 'gunicorn', python);

  test('goes up step by step, keeps the other arguments, and ends somewhere', async () => {
    const at = async (words: string) => stepsOf((await ask(workerTimeout, { facts: [slow], env: { GUNICORN_CMD_ARGS: words } }))[0]);
    expect(await at('--workers 2 --timeout 120')).toEqual([
      'set_env_override {"name":"GUNICORN_CMD_ARGS","value":"--workers 2 --timeout 480"}',
    ]);
    expect(await at('--timeout=480')).toEqual([]);
  });

  test('raises nothing while it runs: there it hangs', async () => {
    expect((await ask(workerTimeout, { facts: [slow], stage: 'runtime' }))[0]?.remedy).toBeNull();
    expect((await ask(workerTimeout, { facts: [fact('worker_timeout', 'php')] }))[0]?.remedy).toBeNull();
  });
});

describe('refuses_root', () => {
  test('is not meant by an ordinary refusal', async () => {
    expect(await ask(refusesRoot, { facts: [fact('permission_denied', '/srv/app/data')] })).toEqual([]);
    expect((await ask(refusesRoot, { facts: [fact('permission_denied', 'root', { code: 'runs_as_root' })] }))[0]?.remedy).toBeNull();
  });
});

describe('assets_not_built', () => {
  const css = fact('assets_missing', 'application.css', { runtime: 'ruby', details: { tool: 'rails' } });
  const lastGood = { 'public/assets/a.css': 'a', 'public/assets/b.css': 'b' };
  const gone = [drift('missing', 'public/assets/a.css'), drift('missing', 'public/assets/b.css'), drift('missing', 'public/robots.txt')];

  test('puts back all that was built, and nothing else', async () => {
    const [answer] = await ask(assetsNotBuilt, { facts: [css], lastGood, drift: gone });
    expect(stepsOf(answer)).toEqual(['restore_file {"path":"public/assets/a.css"}', 'restore_file {"path":"public/assets/b.css"}']);
  });

  test('puts back nothing when a part of it was too large to keep', async () => {
    expect((await ask(assetsNotBuilt, { facts: [css], lastGood, large: ['public/assets/b.css'], drift: gone }))[0]?.remedy).toBeNull();
  });
});
