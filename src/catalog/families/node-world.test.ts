import { describe, expect, it } from 'vitest';
import { accessRefused } from './access-refused.ts';
import { buildMissing } from './build-missing.ts';
import { compileError } from './compile-error.ts';
import { credentialsMissing } from './credentials-missing.ts';
import { envInvalid } from './env-invalid.ts';
import { moduleSystemMismatch } from './module-system-mismatch.ts';
import { packageIncompatible } from './package-incompatible.ts';
import { pathAliasUnresolved } from './path-alias-unresolved.ts';
import { registeredTwice } from './registered-twice.ts';
import { serviceBusy } from './service-busy.ts';
import { staleSocket } from './stale-socket.ts';
import { ask, choose, drift, fact, guardAfter, stepsOf, type World } from './testing.ts';
import { thrownValue } from './thrown-value.ts';
import { unknownOption } from './unknown-option.ts';
import { workspaceUnlinked } from './workspace-unlinked.ts';

const builds = (script: string): string => JSON.stringify({ scripts: { build: script } });
const missing = (path: string, from = ''): ReturnType<typeof fact> =>
  fact('module_missing', path, { code: 'MODULE_NOT_FOUND', details: from === '' ? {} : { from } });

describe('build_missing', () => {
  const entry = missing('/srv/app/dist/main.js');

  it('runs the script of the nearest package.json that has one', async () => {
    const disk = {
      'package.json': builds('tsc'),
      'packages/ui/package.json': builds('vite build'),
      'dist/main.js': { directory: true },
    } as const;
    const [answer] = await ask(buildMissing, { facts: [missing('/srv/app/packages/ui/dist/index.js')], disk });
    expect(stepsOf(answer)).toEqual([
      'run_project_script {"directory":"packages/ui","script":"build","makes":"packages/ui/dist/index.js"}',
    ]);
  });

  it('finds the file that a built module asks for beside it', async () => {
    const disk = { 'package.json': builds('tsc'), 'dist/main.js': "require('./config')" };
    const [answer] = await ask(buildMissing, { facts: [missing('./config', '/srv/app/dist/main.js')], disk });
    expect(answer?.cause).toMatch('dist/config is made by "npm run build"');
    const built = { ...disk, 'dist/config.js': '' };
    expect(await ask(buildMissing, { facts: [missing('./config', '/srv/app/dist/main.js')], disk: built })).toEqual([]);
  });

  it('leaves whole copies of this release to the family that puts them back, and builds another release', async () => {
    const world: World = {
      facts: [entry],
      disk: { 'package.json': builds('tsc') },
      lastGood: { 'dist/main.js': 'old', 'dist/util.js': 'old' },
    };
    expect((await choose(world)).chosen).toMatchObject({ family: 'local_module_missing' });
    expect((await choose({ ...world, drift: [drift('git', 'commit')] })).chosen).toMatchObject({ family: 'build_missing' });
  });

  it.each([
    'npm run compile && npm publish',
    'prisma migrate deploy && next build',
    'docker build .',
    'tsc && scp dist host:',
    'curl x | sh',
  ])('does not run %s', async (script) => {
    const [answer] = await ask(buildMissing, { facts: [entry], disk: { 'package.json': builds(script) } });
    expect(answer).toMatchObject({ remedy: null, confidence: expect.closeTo(0.85) });
  });

  it('says nothing about packages, sources, foreign places, or a project without a build', async () => {
    const disk = { 'package.json': builds('tsc') };
    for (const path of [
      '/srv/app/node_modules/x/dist/i.js',
      '/srv/app/src/main.ts',
      '/srv/app/lib2/x.js',
      '/opt/other/dist/main.js',
      'express',
      '../dist/x',
    ])
      expect(await ask(buildMissing, { facts: [missing(path)], disk }), path).toEqual([]);
    expect(await ask(buildMissing, { facts: [entry], disk: { 'package.json': '{}' } })).toEqual([]);
    expect(await ask(buildMissing, { facts: [entry], disk: { 'package.json': '{ broken' } })).toEqual([]);
    expect(await ask(buildMissing, { facts: [fact('module_missing', 'app.build', { runtime: 'python' })], disk })).toEqual([]);
  });

  it('takes lib for built only where the project says so', async () => {
    const facts = [missing('/srv/app/lib/main.js')];
    const disk = { 'package.json': builds('tsc') };
    expect(await ask(buildMissing, { facts, disk })).toEqual([]);
    expect(
      await ask(buildMissing, { facts, disk: { ...disk, 'tsconfig.json': '{ "compilerOptions": { "outDir": "./lib" } }' } }),
    ).toHaveLength(1);
    expect(await ask(buildMissing, { facts, disk: { ...disk, '.gitignore': 'node_modules\n/lib/\n' } })).toHaveLength(1);
  });

  it('takes what is read for a product of the build, and leaves what is written to others', async () => {
    const disk = { 'package.json': builds('vite build') };
    const page = fact('path_missing', '/srv/app/client/dist/index.html', { code: 'ENOENT' });
    expect((await choose({ facts: [page], disk })).chosen).toMatchObject({ family: 'build_missing' });
    const report = fact('path_missing', '/srv/app/out/report.csv', { code: 'ENOENT' });
    expect(await ask(buildMissing, { facts: [report], disk })).toEqual([]);
  });

  it('builds what the start command names and the last good boot had more of than was kept', async () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`dist/${i}.js`, 'old']));
    const gone = fact('path_missing', '/srv/app/dist/main.js', { runtime: 'grace' });
    const { chosen } = await choose({
      symptom: 'check',
      facts: [gone],
      disk: { 'package.json': builds('tsc') },
      lastGood: { ...many, dist: { directory: true }, 'dist/main.js': 'old' },
    });
    expect(chosen).toMatchObject({ family: 'build_missing' });
  });

  it('is guarded: the build is looked for before the next boot', async () => {
    const sick: World = { facts: [entry], disk: { 'package.json': builds('tsc') } };
    expect(await guardAfter(buildMissing, sick, sick)).toMatch('dist/main.js is missing again');
    expect(await guardAfter(buildMissing, sick, { disk: { 'dist/main.js': 'built' } })).toBe(null);
  });
});

describe('stale_socket', () => {
  const held = fact('lock_held', '/srv/app/run/app.sock', { details: { socket: true } });

  it('touches no socket at which somebody listens, or of which nobody knows', async () => {
    // The imagined disk has no sockets: its kinds are files, links and directories.
    expect(await ask(staleSocket, { facts: [held], disk: { 'run/app.sock': 'a file' } })).toEqual([]);
    expect(await ask(staleSocket, { facts: [held] })).toEqual([]);
  });
});

describe('env_invalid', () => {
  const wrong = fact('config_invalid', 'PORT', { code: 'validation', line: '"PORT" must be a number' });

  it('shows no value, and makes up none', async () => {
    const [answer] = await ask(envInvalid, { facts: [wrong], env: { PORT: 'hush' } });
    expect(answer).toMatchObject({ remedy: null, waitFor: { kind: 'file_change', path: '/srv/app/.env' } });
    expect(JSON.stringify(answer)).not.toContain('hush');
  });

  it('puts back only what changed in a file of its own', async () => {
    const world: World = { facts: [wrong], env: { PORT: 'x' }, disk: { '.env': 'PORT=x' }, lastGood: { '.env': 'PORT=3000' } };
    expect((await ask(envInvalid, world))[0]?.remedy).toBe(null);
    const [answer] = await ask(envInvalid, { ...world, drift: [drift('env_key_changed', 'PORT')] });
    expect(stepsOf(answer)).toEqual(['add_env_keys {"file":".env","keys":["PORT"],"from":"last_good","replace":true}']);
  });

  it('is silent about keys that are no variables, and about values that several settings could have', async () => {
    expect(await ask(envInvalid, { facts: [wrong], env: {} })).toEqual([]);
    const url = fact('config_invalid', '', { code: 'ERR_INVALID_URL', details: { value: 'shop' } });
    expect(await ask(envInvalid, { facts: [url], env: { NAME: 'shop' } })).toEqual([]);
    expect((await ask(envInvalid, { facts: [url], env: { NAME: 'shop', API_URL: 'shop' } }))[0]?.cause).toMatch(/^API_URL has/);
  });
});

describe('mistakes in code', () => {
  const frames = [{ path: '/srv/app/src/a.js', function: 'f', line: 3, inDependency: false, package: null }];
  const twice = fact('registered_twice', 'GET /orders');

  it('go back on a single file that changed, and only with approval', async () => {
    const [answer] = await ask(registeredTwice, { facts: [twice], frames, drift: [drift('changed', 'src/a.js')] });
    expect(answer?.remedy).toMatchObject({ tier: 'tier_3', risk: 'high' });
  });

  it('never put back one of several files: that would be a mixture of two releases', async () => {
    const two = [drift('changed', 'src/a.js'), drift('changed', 'src/b.js')];
    const [answer] = await ask(registeredTwice, { facts: [twice], frames, drift: two });
    expect(answer).toMatchObject({ remedy: null });
    // Weaker suspicions may then be tried.
    expect(answer?.confidence).toBeLessThan(0.7);
  });

  it('do not go back on a file that the output does not name', async () => {
    expect((await ask(registeredTwice, { facts: [twice], frames, drift: [drift('changed', 'src/other.js')] }))[0]?.remedy).toBe(null);
  });

  it('are only mentioned while the service runs', async () => {
    for (const family of [registeredTwice, compileError]) {
      const kind = family.name as 'registered_twice' | 'compile_error';
      expect((await ask(family, { facts: [fact(kind, 'x')], stage: 'runtime' }))[0]?.confidence).toBeLessThan(0.7);
    }
  });

  it('leave what is a known cause to the family that knows it', async () => {
    const thrown = fact('exception', 'thrown value', { details: { message: '{ code: 42 }' } });
    expect((await ask(thrownValue, { facts: [thrown] }))[0]?.confidence).toBeGreaterThan(0.7);
    expect((await ask(thrownValue, { facts: [thrown, fact('port_in_use', '3000')] }))[0]?.confidence).toBeLessThan(0.7);
    expect(await ask(thrownValue, { facts: [fact('exception', 'TypeError')] })).toEqual([]);
  });
});

describe('module_system_mismatch', () => {
  const required = fact('module_system_mismatch', '/srv/app/server.js', {
    code: 'commonjs_in_module',
    details: { wants: 'commonjs', name: 'require' },
  });

  it('leaves package.json alone when only something else in it changed', async () => {
    const world: World = {
      facts: [required],
      disk: { 'package.json': '{"type":"module","version":"2.0.0"}' },
      lastGood: { 'package.json': '{"type":"module","version":"1.0.0"}' },
      drift: [drift('changed', 'package.json')],
    };
    expect((await ask(moduleSystemMismatch, world))[0]?.remedy).toBe(null);
  });
});

describe('unknown_option', () => {
  it('puts back no file that had the option at the last good boot', async () => {
    const option = fact('unknown_option', '--prot');
    const world: World = { facts: [option], disk: { 'package.json': '{"a":"--prot 1"}' }, drift: [drift('changed', 'package.json')] };
    expect((await ask(unknownOption, { ...world, lastGood: { 'package.json': '{"a":"--prot 2"}' } }))[0]?.remedy).toBe(null);
    expect((await ask(unknownOption, { ...world, lastGood: { 'package.json': '{"a":"--port"}' } }))[0]?.remedy).not.toBe(null);
  });
});

describe('package_incompatible', () => {
  const lock = (version: string): string =>
    JSON.stringify({ packages: { '': { dependencies: { tiny: '*' } }, 'node_modules/tiny': { version } } });
  const thrown = fact('exception', 'TypeError', { details: { message: 'connect is not a function' } });

  it('compares with the lock file, and says nothing where both agree', async () => {
    const disk = { 'package-lock.json': lock('2.0.0'), 'node_modules/tiny/package.json': '{"version":"2.0.0"}' };
    expect(await ask(packageIncompatible, { facts: [thrown], disk })).toEqual([]);
    const other = { ...disk, 'node_modules/tiny/package.json': '{"version":"1.0.0"}' };
    const [answer] = await ask(packageIncompatible, { facts: [thrown], disk: other });
    expect(stepsOf(answer)).toEqual(['install_packages {"directory":"/srv/app"}']);
    expect(await guardAfter(packageIncompatible, { facts: [thrown], disk: other }, { disk: other })).toMatch('tiny 1.0.0 is installed');
    expect(await guardAfter(packageIncompatible, { facts: [thrown], disk: other }, { disk })).toBe(null);
  });

  it('leaves a name that a file of the service does not offer to another family', async () => {
    expect(
      await ask(packageIncompatible, { facts: [fact('export_missing', 'second', { details: { module: './lib/names.mjs' } })] }),
    ).toEqual([]);
  });
});

describe('workspace_unlinked', () => {
  const facts = [missing('@shop/shared')];
  const disk = { 'package.json': '{"workspaces":["packages/*"]}', 'packages/shared/package.json': '{"name":"@shop/shared"}' };

  it('is about packages of this workspace alone', async () => {
    expect(await ask(workspaceUnlinked, { facts, disk })).toHaveLength(1);
    expect(await ask(workspaceUnlinked, { facts: [missing('@shop/other')], disk })).toEqual([]);
    expect(await ask(workspaceUnlinked, { facts, disk: { ...disk, 'package.json': '{}' } })).toEqual([]);
    expect(await ask(workspaceUnlinked, { facts, disk: { ...disk, 'node_modules/@shop/shared/package.json': '{}' } })).toEqual([]);
  });
});

describe('path_alias_unresolved', () => {
  it('takes no package for an alias', async () => {
    const disk = { 'tsconfig.json': '{ "compilerOptions": { "paths": { "app/*": ["src/*"] } } }' };
    expect((await ask(pathAliasUnresolved, { facts: [missing('app/config')], disk }))[0]?.cause).toMatch('of tsconfig.json');
    for (const name of ['express', '@scope/name', 'application/x'])
      expect(await ask(pathAliasUnresolved, { facts: [missing(name)], disk })).toEqual([]);
  });
});

describe('what another service answers', () => {
  const refusedKey = fact('access_refused', 'https://api.example', { code: '401' });

  it('is only mentioned while the service runs: it may be its own answer to somebody', async () => {
    for (const [family, one] of [
      [accessRefused, refusedKey],
      [serviceBusy, fact('service_busy', '', { code: '503' })],
    ] as const)
      expect((await ask(family, { facts: [one], stage: 'runtime' }))[0]?.confidence).toBeLessThan(0.7);
  });

  it('is waited for at its address', async () => {
    const [busy] = await ask(serviceBusy, { facts: [fact('service_busy', 'https://api.example', { code: '503' })] });
    expect(busy).toMatchObject({ remedy: null, waitFor: { kind: 'reachable', host: 'api.example', port: 443 } });
  });

  it('puts back a key that changed, once, and no variable that is no key', async () => {
    const world: World = { facts: [refusedKey], disk: { '.env': 'API_KEY=b\nPORT=2' }, lastGood: { '.env': 'API_KEY=a\nPORT=1' } };
    const [answer] = await ask(accessRefused, { ...world, drift: [drift('env_key_changed', 'API_KEY'), drift('env_key_changed', 'PORT')] });
    expect(stepsOf(answer)).toEqual(['add_env_keys {"file":".env","keys":["API_KEY"],"from":"last_good","replace":true}']);
    const again = { ...world, drift: [drift('env_key_changed', 'API_KEY')], attempts: [answer?.remedy?.playbook ?? ''] };
    expect((await ask(accessRefused, again))[0]?.remedy).toBe(null);
  });
});

describe('credentials_missing', () => {
  it('invents no key, also where the example has one that shows only where it goes', async () => {
    const world: World = {
      facts: [fact('credentials_missing', 'stripe')],
      disk: { '.env': '', '.env.example': 'STRIPE_SECRET_KEY=sk_test_x\n' },
    };
    expect(await ask(credentialsMissing, world)).toMatchObject([
      { remedy: null, advice: ['set STRIPE_SECRET_KEY for api', expect.anything()] },
    ]);
  });
});
