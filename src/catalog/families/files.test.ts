import { expect, test } from 'vitest';
import { configCorrupt } from './config-corrupt.ts';
import { directoryMissing } from './directory-missing.ts';
import { fileMissing } from './file-missing.ts';
import { permissionDenied } from './permission-denied.ts';
import { staleLock } from './stale-lock.ts';
import { ask, choose, dependency, drift, fact, guardAfter, stepsOf, type World } from './testing.ts';

const yaml: World = {
  component: { command: ['node', 'server.js', '--config', 'config.yaml'] },
  disk: { 'config.yaml': 'a: [', 'server.js': '' },
  lastGood: { 'config.yaml': 'a: []', 'server.js': '' },
};
const broken = drift('changed', 'config.yaml', { isBroken: true, suspicion: 9 });

test('puts back the configuration that the message names and the last good boot had', async () => {
  const sick = { ...yaml, facts: [fact('syntax_error', 'config.yaml', { details: { line: 1 } })], drift: [broken] };
  const { chosen } = await choose(sick);
  expect(chosen?.confidence).toBe(0.95);
  expect(chosen?.remedy).toMatchObject({ playbook: 'restore_config_yaml', tier: 'tier_2' });
  expect(stepsOf(chosen)).toEqual(['restore_file {"path":"config.yaml"}']);
  expect(await guardAfter(configCorrupt, sick, sick)).toContain('cannot be read any more');
  expect(await guardAfter(configCorrupt, sick, { ...sick, drift: [] })).toBeNull();
});

test('finds the broken configuration without any word about it', async () => {
  expect(stepsOf((await choose({ ...yaml, drift: [drift('changed', 'README.md'), broken] })).chosen)).toEqual([
    'restore_file {"path":"config.yaml"}',
  ]);
});

test('suspects the changed configuration of the command when the message names no file', async () => {
  const { chosen } = await choose({ ...yaml, facts: [fact('config_invalid', 'uplinks')], drift: [drift('changed', 'config.yaml')] });
  expect(stepsOf(chosen)).toEqual(['restore_file {"path":"config.yaml"}']);
});

test('finds the configuration that has the very word that is complained about', async () => {
  const world: World = {
    facts: [fact('config_invalid', 'maxmemry', { runtime: 'redis' })],
    disk: { 'etc/redis.conf': 'port 1\nmaxmemry 10mb\n', 'etc/other.conf': 'b\n' },
    lastGood: { 'etc/redis.conf': 'port 1\n', 'etc/other.conf': 'a\n' },
    drift: [drift('changed', 'etc/other.conf'), drift('changed', 'etc/redis.conf')],
  };
  const { chosen } = await choose(world);
  expect(stepsOf(chosen)).toEqual(['restore_file {"path":"etc/redis.conf"}']);
  const { lastGood } = world;
  expect((await choose({ ...world, lastGood: { ...lastGood, 'etc/redis.conf': 'maxmemry 1mb\n' } })).chosen).toMatchObject({
    confidence: 0.3,
  });
});

test('takes a new file out of a folder of settings that the program cannot read', async () => {
  const world: World = {
    component: { command: ['nginx', '-c', 'nginx.conf'] },
    disk: { 'nginx.conf': 'include', 'conf.d/site.conf': 'a', 'conf.d/new.conf': 'locaton' },
    lastGood: { 'nginx.conf': 'include', 'conf.d/site.conf': 'a' },
    facts: [fact('config_invalid', 'locaton', { runtime: 'nginx', details: { path: '/srv/app/conf.d/new.conf', line: 2 } })],
  };
  const { chosen } = await choose(world);
  expect(chosen?.remedy).toMatchObject({ playbook: 'set_aside_conf_d_new_conf', risk: 'medium', tier: 'tier_2' });
  expect(stepsOf(chosen)[0]).toMatch(/^set_aside \{"path":"conf.d\/new.conf","digest":"[0-9a-f]{64}"\}$/);
  expect(await guardAfter(configCorrupt, world, world)).toContain('is there again');
  const corrected = { ...world, disk: { ...world.disk, 'conf.d/new.conf': 'location' } };
  expect(await guardAfter(configCorrupt, world, corrected)).toBeNull();
});

test('leaves a broken file in place whose folder nobody knows, or that the command names', async () => {
  const named = { disk: { 'etc/a.conf': 'x' }, facts: [fact('syntax_error', 'etc/a.conf')] };
  expect((await choose({ ...named, lastGood: { 'server.js': '' } })).chosen).toBeNull();
  const asked = { ...named, component: { command: ['x', 'etc/a.conf'] }, lastGood: { 'etc/b.conf': '' } };
  expect((await choose(asked)).chosen).toBeNull();
  const code = { disk: { 'lib/a.js': 'x' }, facts: [fact('syntax_error', 'lib/a.js')], lastGood: { 'lib/b.js': '' } };
  expect((await choose(code)).chosen).toBeNull();
});

test('goes back on a changed file of settings without an ending, which the message or the command names', async () => {
  const world: World = {
    component: { command: ['caddy', 'run', '--config', 'Caddyfile'] },
    disk: { Caddyfile: 'file_serve' },
    lastGood: { Caddyfile: 'file_server' },
    drift: [drift('changed', 'Caddyfile')],
  };
  const said = { ...world, facts: [fact('config_invalid', 'Caddyfile')] };
  expect(stepsOf((await choose(said)).chosen)).toEqual(['restore_file {"path":"Caddyfile"}']);
  expect(stepsOf((await choose({ ...world, output: ['it did not work'] })).chosen)).toEqual(['restore_file {"path":"Caddyfile"}']);
  const users: World = {
    component: { command: ['serve', '-c', 'main'] },
    disk: { main: 'b', users: 'b' },
    lastGood: { main: 'a', users: 'a' },
  };
  const both = [drift('changed', 'users', { suspicion: 9 }), drift('changed', 'main')];
  expect(stepsOf((await choose({ ...users, drift: both })).chosen)).toEqual(['restore_file {"path":"main"}']);
});

test('leaves a legitimate edit alone when the failure is something else', async () => {
  const { chosen } = await choose({
    ...yaml,
    facts: [fact('connection_refused', '10.0.0.9:9000')],
    drift: [drift('changed', 'config.yaml')],
  });
  expect(chosen).toBeNull();
});

test('says what is wrong where there is no earlier copy', async () => {
  const { best, chosen } = await choose({
    disk: { 'config.yaml': 'a: [' },
    facts: [fact('syntax_error', 'config.yaml', { details: { line: 3 } })],
  });
  expect(chosen).toBeNull();
  expect(best.cause).toBe('config.yaml cannot be read: syntax error at line 3');
});

test('puts a missing file and a dangling link back, and nothing outside of the roots', async () => {
  const gone: World = {
    facts: [fact('path_missing', 'tls/cert.pem')],
    disk: { 'tls/key.pem': 'k' },
    lastGood: { 'tls/cert.pem': 'c', 'tls/key.pem': 'k' },
  };
  expect(stepsOf((await choose(gone)).chosen)).toEqual(['restore_file {"path":"tls/cert.pem"}']);
  expect(await guardAfter(fileMissing, gone, gone)).toContain('tls/cert.pem is missing again');
  const link: World = {
    facts: [fact('path_missing', 'current/app.conf')],
    disk: { current: { link: 'releases/8' } },
    lastGood: { current: { link: 'releases/7' }, 'releases/7/app.conf': '' },
  };
  expect(stepsOf((await choose(link)).chosen)).toEqual(['restore_file {"path":"current"}']);
  const outside = await choose({ facts: [fact('path_missing', '/etc/app/secret.conf')], lastGood: { '/etc/app/secret.conf': 'x' } });
  expect(outside.chosen).toBeNull();
  expect(outside.best.cause).toContain('/etc/app/secret.conf is missing');
});

test('does not bring back data that users may have deleted', async () => {
  const { chosen } = await choose({
    facts: [fact('exception', 'Error')],
    lastGood: { 'mails/17.eml': 'x', 'data/notes.json': '{}' },
    drift: [drift('missing', 'mails/17.eml'), drift('missing', 'data/notes.json')],
  });
  expect(chosen).toBeNull();
});

test('makes the directory of a log file', async () => {
  const sick: World = { facts: [fact('path_missing', '/srv/app/logs/app.log')] };
  const { chosen } = await choose(sick);
  expect(stepsOf(chosen)).toEqual(['make_directory {"path":"logs"}']);
  expect(chosen?.remedy?.tier).toBe('tier_1');
  expect(await guardAfter(directoryMissing, sick, sick)).toContain('logs is missing again');
  expect(await guardAfter(directoryMissing, sick, { disk: { logs: { directory: true } } })).toBeNull();
});

test('finds the directory that the line above the error names', async () => {
  const { chosen } = await choose({
    output: ['>>> \'logfile "/srv/app/logs/redis.log"\'', "Can't open the log file: No such file or directory"],
    facts: [fact('path_missing', '', { runtime: 'redis', lineIndex: 1 })],
  });
  expect(stepsOf(chosen)).toEqual(['make_directory {"path":"logs"}']);
});

test('never makes an empty directory where data was', async () => {
  const { best, chosen } = await choose({
    facts: [fact('path_missing', '/srv/app/data')],
    lastGood: { 'data/settings.json': '{}' },
    large: ['data/big.db'],
  });
  expect(chosen).toBeNull();
  expect(best.cause).toContain('with 2 files');
  expect(best.advice[0]).toContain('volume');
});

test('brings a directory back with the small files it had', async () => {
  const { chosen } = await choose({ facts: [fact('path_missing', '/srv/app/conf.d')], lastGood: { 'conf.d/a.conf': 'a' } });
  expect(stepsOf(chosen)).toEqual(['make_directory {"path":"conf.d"}', 'restore_file {"path":"conf.d/a.conf"}']);
});

test('gives the smallest thing its owner back, as at the last good boot', async () => {
  const sick: World = {
    facts: [fact('permission_denied', '/srv/app/mails/new.eml')],
    disk: { mails: { directory: true, uid: 0 }, 'mails/1.eml': { text: '', uid: 0 } },
    lastGood: { mails: { directory: true }, 'mails/1.eml': '' },
  };
  const { chosen } = await choose(sick);
  expect(stepsOf(chosen)).toEqual(['restore_permissions {"path":"mails","recursive":true}']);
  expect(chosen?.cause).toBe('mails belongs to root instead of app');
  expect(await guardAfter(permissionDenied, sick, { ...sick, drift: [drift('owner', 'mails')] })).toContain('mails owner');
});

test('finds the data of the user it runs as, whatever the message leaves out', async () => {
  const world: World = {
    component: { command: ['serve', 'app.conf'] },
    runsAs: { uid: 65534, gid: 65534 },
    disk: {
      'app.conf': `dir /srv/app/data\n`,
      data: { directory: true, uid: 0 },
      'data/log': { directory: true, uid: 0 },
      'data/log/a.incr.aof': { text: '', uid: 0 },
    },
  };
  const back = ['restore_permissions {"path":"data","uid":65534,"gid":65534,"recursive":true}'];
  for (const subject of ['a.incr.aof', '', '/srv/app/data/log/tmp.aof'])
    expect(stepsOf((await choose({ ...world, facts: [fact('permission_denied', subject)] })).chosen), subject).toEqual(back);
});

test('suspects a data directory that its user cannot write when nothing is said, and not what it only serves', async () => {
  const world: World = {
    symptom: 'smoke',
    component: { command: ['serve', '--data=storage', 'public'] },
    runsAs: { uid: 65534, gid: 65534 },
    disk: { storage: { directory: true, uid: 0, mode: 0o755 }, public: { directory: true, uid: 0, mode: 0o755 } },
  };
  expect(stepsOf((await choose(world)).chosen)).toEqual(['restore_permissions {"path":"storage","uid":65534,"gid":65534}']);
  expect((await choose({ ...world, facts: [fact('connection_refused', '10.0.0.9:1')] })).chosen).toBeNull();
  expect((await choose({ ...world, disk: { storage: { directory: true, uid: 0, mode: 0o777 } } })).chosen).toBeNull();
});

test('never gives a service the directory of its configuration', async () => {
  const { chosen } = await choose({
    runsAs: { uid: 65534, gid: 65534 },
    facts: [fact('permission_denied', '/srv/app/config/secret.json')],
    disk: { config: { directory: true, uid: 0 }, 'config/secret.json': { text: '{}', uid: 0, mode: 0o600 } },
  });
  expect(chosen).toBeNull();
});

test('puts a file back whose place a directory has taken', async () => {
  const { chosen } = await choose({
    facts: [fact('is_a_directory', 'settings.js')],
    disk: { 'settings.js': { directory: true } },
    lastGood: { 'settings.js': 'a' },
  });
  expect(chosen?.family).toBe('wrong_file_type');
  expect(stepsOf(chosen)).toEqual(['restore_file {"path":"settings.js"}']);
});

test('brings everything back that was beside a module whose directory is gone', async () => {
  const { chosen } = await choose({
    facts: [fact('module_missing', '/srv/app/data/settings.js')],
    lastGood: { 'data/settings.js': 'a', 'data/flows.json': '[]', 'data/flows_cred.json': '{}', 'data/logs/x.log': 'x' },
    drift: [drift('missing', 'data/settings.js')],
  });
  expect(stepsOf(chosen).toSorted()).toEqual(
    ['flows.json', 'flows_cred.json', 'settings.js'].map((name) => `restore_file {"path":"data/${name}"}`),
  );
});

test('goes by the neighbours when there was no good boot', async () => {
  const { chosen } = await choose({
    facts: [fact('permission_denied', 'db.json')],
    disk: { 'db.json': { text: '{}', uid: 0 }, 'server.js': '', 'package.json': '{}' },
  });
  expect(stepsOf(chosen)).toEqual(['restore_permissions {"path":"db.json","uid":1000,"gid":1000}']);
});

test('never gives rights to anybody but the owner, and none outside of the roots', async () => {
  const closed = await choose({
    facts: [fact('permission_denied', 'db.json')],
    disk: { 'db.json': { text: '{}', mode: 0o040 }, 'server.js': '' },
  });
  expect(stepsOf(closed.chosen)).toEqual([`restore_permissions {"path":"db.json","mode":416}`]);
  const wide = await ask(permissionDenied, {
    facts: [fact('permission_denied', 'data')],
    disk: { data: { directory: true } },
    lastGood: { data: { directory: true, mode: 0o777 } },
  });
  expect(wide[0]?.cause).toContain('has mode 755 instead of 775');
  expect(
    (await choose({ facts: [fact('permission_denied', '/etc/shadow')], disk: { '/etc/shadow': { text: '', uid: 0, mode: 0o600 } } }))
      .chosen,
  ).toBeNull();
});

const lock: World = {
  component: { command: ['redis-server', 'redis.conf'] },
  facts: [fact('lock_held', 'redis.pid')],
  disk: { 'redis.pid': '812\n' },
};

test('moves a lock aside whose process is gone, or is another program by now', async () => {
  expect(stepsOf((await choose(lock)).chosen)).toEqual(['remove_stale_lock {"path":"redis.pid","expect":"redis-server"}']);
  expect((await choose({ ...lock, processes: { 812: { command: 'cron', argv: ['cron'] } } })).chosen?.family).toBe('stale_lock');
  expect(await guardAfter(staleLock, lock, lock)).toContain('left over from process 812');
  expect(await guardAfter(staleLock, lock, { ...lock, processes: { 812: { command: 'redis-server' } } })).toBeNull();
});

test('leaves a lock alone whose holder lives, or that names none', async () => {
  for (const world of [
    { ...lock, processes: { 812: { command: 'redis-server', argv: ['redis-server *:6379'] } } },
    { ...lock, processes: { 812: { command: 'sh', cwd: '/srv/app' } } },
    { ...lock, disk: { 'redis.pid': '' } },
  ])
    expect((await choose(world)).chosen).toBeNull();
});

test('starts a dependency again whose lock was left over', async () => {
  const db = dependency({ command: ['pg_ctl', 'start'] });
  const { chosen } = await choose({
    symptom: 'dependency',
    component: db,
    facts: [fact('lock_held', 'postmaster.pid', { runtime: 'postgres', details: { pid: 99 } })],
    disk: { 'pg/data/postmaster.pid': '99\n/srv/app/pg/data\n' },
  });
  expect(stepsOf(chosen)).toEqual([
    'remove_stale_lock {"path":"pg/data/postmaster.pid","expect":"postgres"}',
    'start_dependency {"name":"db"}',
    'wait_for_dependency {"host":"127.0.0.1","port":5432,"timeoutMs":60000}',
  ]);
});

test('holds on an expired certificate, and puts one back that was changed', async () => {
  const world: World = {
    symptom: 'smoke',
    facts: [fact('certificate_problem', 'tls/cert.pem', { details: { reason: 'expired' } })],
    disk: { 'tls/cert.pem': 'new' },
    lastGood: { 'tls/cert.pem': 'old' },
  };
  expect((await choose(world)).chosen).toBeNull();
  expect(stepsOf((await choose({ ...world, drift: [drift('changed', 'tls/cert.pem')] })).chosen)).toEqual([
    'restore_file {"path":"tls/cert.pem"}',
  ]);
});

test('tries one suspicious file at a time, and no data that still parses', async () => {
  const world: World = {
    component: { command: ['node', 'server.js', 'settings.js', 'db.json'] },
    facts: [fact('exception', 'TypeError')],
    lastGood: { 'settings.js': 'a', 'db.json': '[]' },
    disk: { 'settings.js': 'b', 'db.json': '{}' },
    drift: [drift('changed', 'db.json', { suspicion: 9 }), drift('changed', 'settings.js')],
  };
  expect(stepsOf((await choose(world)).chosen)).toEqual(['restore_file {"path":"settings.js"}']);
  expect((await choose({ ...world, attempts: ['restore_settings_js'] })).chosen).toBeNull();
});

test('makes no directory for a program that is not there', async () => {
  for (const path of ['target/shop.jar', 'cmd/server/main.go', 'none/package.json', 'dist/index.js']) {
    const { best, chosen } = await choose({ facts: [fact('path_missing', path)] });
    expect(chosen, path).toBeNull();
    expect(best.cause, path).toContain(`${path} is missing`);
  }
});

test('makes the directory of a SQLite file that only the configuration names', async () => {
  const { chosen } = await choose({
    component: { database: 'sqlite:data/app.db' },
    facts: [fact('path_missing', '', { runtime: 'sqlite' })],
  });
  expect(stepsOf(chosen)).toEqual(['make_directory {"path":"data"}']);
});

test('finds the log directory of Redis in its configuration, since Redis does not name it', async () => {
  const { chosen } = await choose({
    component: { command: ['redis-server', 'redis.conf'] },
    disk: { 'redis.conf': 'port 7450\ndir /srv/app/data\n# logfile /srv/app/old/x.log\nlogfile /srv/app/logs/redis.log\n' },
    facts: [
      fact('path_missing', '', {
        runtime: 'redis',
        details: { key: 'logfile' },
        line: "Can't open the log file: No such file or directory",
      }),
    ],
  });
  expect(stepsOf(chosen)).toEqual(['make_directory {"path":"logs"}']);
  expect(chosen?.confidence).toBeGreaterThanOrEqual(0.8);
});

test('brings back all of a directory that is gone, when one of its files is asked for', async () => {
  const world: World = {
    symptom: 'smoke',
    lastGood: { 'dist/index.html': 'i', 'dist/assets/main.js': 'm', 'dist/note.txt': 'n' },
    drift: [drift('missing', 'dist'), drift('missing', 'dist/assets/main.js'), drift('missing', 'dist/index.html')],
  };
  expect(stepsOf((await ask(fileMissing, world)).find((d) => d.remedy !== null)).map((s) => s.split(' ')[1])).toEqual([
    '{"path":"dist/index.html"}',
    '{"path":"dist/assets/main.js"}',
    '{"path":"dist/note.txt"}',
  ]);
});

test('goes back on settings that name another port, when it listens there', async () => {
  const world: World = {
    symptom: 'not_ready',
    listens: [8081],
    component: { port: 8080 },
    disk: { 'conf.d/site.conf': 'listen 8081;', 'conf.d/other.conf': 'b 1' },
    lastGood: { 'conf.d/site.conf': 'listen 8080;', 'conf.d/other.conf': 'a 1' },
    drift: [drift('changed', 'conf.d/other.conf', { suspicion: 9 }), drift('changed', 'conf.d/site.conf')],
  };
  const { chosen } = await choose(world);
  expect(chosen).toMatchObject({ family: 'drift_suspect', confidence: 0.85 });
  expect(chosen?.cause).toContain('it listens on 8081 instead of 8080');
  expect(stepsOf(chosen)).toEqual(['restore_file {"path":"conf.d/site.conf"}']);
  expect((await choose({ ...world, drift: [] })).best.cause).toContain('it listens on 8081, and not on 8080');
  const elsewhere = { ...world, drift: [drift('changed', 'conf.d/other.conf')] };
  expect((await choose(elsewhere)).chosen).toMatchObject({ family: 'drift_suspect', confidence: 0.3 });
});

test('guesses at changed settings only where nothing else is said, and never at code, data or tests', async () => {
  const at = (path: string): World => ({ disk: { [path]: 'b' }, lastGood: { [path]: 'a' }, drift: [drift('changed', path)] });
  expect((await choose(at('conf.d/site.conf'))).chosen).toMatchObject({ family: 'drift_suspect', confidence: 0.3 });
  for (const path of ['lib/feature.js', 'data/orders.json', 'tests/app.conf']) expect((await choose(at(path))).chosen).toBeNull();
  expect((await choose({ ...at('conf.d/site.conf'), facts: [fact('host_unresolved', 'db')] })).chosen).toBeNull();
});

test('brings back data that is gone only when it is up, does not work, and says nothing', async () => {
  const world: World = {
    symptom: 'smoke',
    lastGood: { 'public/a.txt': 'a', 'mails/1.eml': 'm' },
    drift: [drift('missing', 'public/a.txt'), drift('missing', 'mails/1.eml')],
  };
  expect(stepsOf((await choose(world)).chosen)).toEqual(['restore_file {"path":"public/a.txt"}']);
  expect((await choose({ ...world, symptom: 'exit' })).chosen).toBeNull();
  expect((await choose({ ...world, facts: [fact('exception', 'TypeError')] })).chosen).toBeNull();
});

test('goes back on a data file of the command that lost a collection, and on no other data', async () => {
  const world = (now: string, symptom: World['symptom'] & string = 'not_ready'): World => ({
    symptom,
    component: { command: ['json-server', 'db.json'] },
    disk: { 'db.json': now },
    lastGood: { 'db.json': '{"posts":[{"id":1,"title":"first"}],"users":[{"id":1}]}' },
    drift: [drift('changed', 'db.json')],
  });
  expect(stepsOf((await choose(world('{"users":[{"id":1}]}'))).chosen)).toEqual(['restore_file {"path":"db.json"}']);
  expect((await choose(world('{"posts":[],"users":[]}'))).chosen).toBeNull();
  expect((await choose(world('{"users":[{"id":1}]}', 'exit'))).chosen).toBeNull();
});

test('makes a configuration of a fresh checkout from its example, unless that waits for values', async () => {
  const world = (example: string): World => ({
    facts: [fact('path_missing', 'etc/app.yaml')],
    disk: { 'etc/app.example.yaml': example },
  });
  const { chosen } = await choose(world('port: 3000\ntitle: Shop\n'));
  expect(chosen?.remedy).toMatchObject({ playbook: 'create_etc_app_yaml_from_example', tier: 'tier_2' });
  expect(stepsOf(chosen)).toEqual(['restore_file {"path":"etc/app.yaml","from":"etc/app.example.yaml"}']);
  for (const waiting of ['password: secret\n', 'api_key = 123\n', 'host: your-host\n', 'url: https://example.com\n', 'name: <name>\n'])
    expect((await choose(world(waiting))).chosen).toBeNull();
  expect((await choose(world('password: secret\n'))).best.advice[0]).toBe('copy etc/app.example.yaml to etc/app.yaml and look through it');
});
