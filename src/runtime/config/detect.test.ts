import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigProject } from './config-project.ts';
import { languageOf, portInArguments } from './detect-command.ts';
import { detectProject, type ComponentDetection } from './detect.ts';

function detect(
  files: Readonly<Record<string, unknown>>,
  command: string | null = 'node server.js',
  environment: Readonly<Record<string, string>> = {},
) {
  const project = new ConfigProject(files);
  try {
    const detected = detectProject(project.dir, command === null ? null : command.split(' '), environment);
    const [first] = detected.components.values();
    return { ...detected, first: first as ComponentDetection, path: (name: string) => join(project.dir, name) };
  } finally {
    project[Symbol.dispose]();
  }
}

describe('the name', () => {
  it.each([
    [{ 'package.json': { name: '@acme/orders api' } }, 'orders-api', 'name in package.json'],
    [{ 'package.json': '{ broken' }, null, 'name of the folder'],
    [{ 'package.json': { name: 'constructor' } }, null, 'name of the folder'],
    [{}, null, 'name of the folder'],
  ])('comes from package.json or the folder', (files, name, reason) => {
    const detected = detect(files);
    expect(detected.name.reason).toBe(reason);
    if (name !== null) expect(detected.name.value).toBe(name);
    expect([...detected.components.keys()]).toEqual([detected.name.value]);
  });
});

describe('the env file', () => {
  it('is .env where it exists', () => {
    const { first, path } = detect({ '.env': 'A=1' });
    expect(first.envFiles).toEqual({ value: [path('.env')], reason: '.env exists' });
    expect(first.loadEnvFile).toBeUndefined();
  });

  it('is .env where only its example exists: that is a .env that is missing', () => {
    const { first, path } = detect({ '.env.example': 'A=1' });
    expect(first.envFiles).toEqual({ value: [path('.env')], reason: '.env.example says what .env should hold' });
  });

  it.each([
    ['node --env-file=.env.local server.js', '.env.local', 'the command reads it by itself (--env-file=.env.local)'],
    ['node --env-file .env server.js', '.env', 'the command reads it by itself (--env-file)'],
    ['node --env-file-if-exists=conf/.env server.js', 'conf/.env', 'the command reads it by itself (--env-file-if-exists=conf/.env)'],
    ['node -r dotenv/config server.js', '.env', 'the command reads it by itself (dotenv/config)'],
    ['dotenv -e prod.env node server.js', 'prod.env', 'the command reads it by itself (dotenv)'],
  ])('is not loaded a second time for %s', (command, file, reason) => {
    const { first, path } = detect({}, command);
    expect(first.envFiles).toEqual({ value: [path(file)], reason });
    expect(first.loadEnvFile).toEqual({ value: false, reason });
  });

  it.each([
    ['node --env-file=.env server.js', true],
    ['node --env-file-if-exists=.env server.js', undefined],
    ['node -r dotenv/config server.js', undefined],
    ['node server.js', undefined],
  ])('must be there only for what does not start without it: %s', (command, isNeeded) => {
    expect(detect({ '.env.example': 'A=1' }, command).first.needsEnvFiles).toBe(isNeeded);
  });

  it('is seen through a package script', () => {
    const { first, path } = detect(
      { 'package.json': { scripts: { start: 'npm run serve', serve: 'NODE_ENV=production node --env-file=.env a.js -p 4000' } } },
      'npm start',
    );
    expect(first.envFiles?.value).toEqual([path('.env')]);
    expect(first.port).toEqual({ value: 4000, reason: 'the command says -p 4000' });
  });
});

describe('the port', () => {
  it.each([
    ['node a.js --port 3000', 3000],
    ['node a.js --port=3000', 3000],
    ['node a.js -p 3000', 3000],
    ['node a.js --listen 127.0.0.1:3000', 3000],
    ['gunicorn app:app -b 0.0.0.0:8000', 8000],
    ['gunicorn app:app --bind=:8000', 8000],
    ['python manage.py runserver 0.0.0.0:8000', 8000],
    ['python -m http.server 8000', 8000],
    ['php -S localhost:8000', 8000],
    ['java -Dserver.port=8080 -jar a.jar', 8080],
    ['node a.js --address 127.0.0.1 --port 3000', 3000],
    ['node a.js --port 70000', null],
    ['node -p process.pid', null],
    ['docker run -p 8080:80 nginx', null],
    ['node a.js', null],
  ])('of %s is %s', (command, port) => {
    expect(portInArguments(command.split(' '))?.value ?? null).toBe(port);
  });

  const files = { '.env': 'PORT=4001\n', '.env.example': 'PORT=4002\n' };
  it.each<[string, Readonly<Record<string, string>>, Readonly<Record<string, string>>, string, number | undefined]>([
    ['the command, before all', files, { PORT: '4003' }, 'env PORT=4004 node a.js --port 4005', 4005],
    ['a variable in the command', files, { PORT: '4003' }, 'env PORT=4004 node a.js', 4004],
    ['the environment, which wins over .env', files, { PORT: '4003' }, 'node a.js', 4003],
    ['.env', files, {}, 'node a.js', 4001],
    ['.env.example', { '.env.example': 'PORT=4002\n' }, {}, 'node a.js', 4002],
    ['nothing, when it is no port', { '.env': 'PORT=http\n' }, {}, 'node a.js', undefined],
  ])('is told by %s', (_, project, environment, command, port) => {
    expect(detect(project, command, environment).first.port?.value).toBe(port);
  });
});

describe('the migrations', () => {
  it.each<[string, Readonly<Record<string, unknown>>, readonly string[] | undefined]>([
    ['a script that is one program', { 'package.json': { scripts: { migrate: 'node migrate.ts' } } }, ['node', 'migrate.ts']],
    [
      'a script for a shell',
      { 'package.json': { scripts: { 'db:migrate': 'a && b' } }, 'pnpm-lock.yaml': '' },
      ['pnpm', 'run', 'db:migrate'],
    ],
    ['a script with a hook', { 'package.json': { scripts: { premigrate: 'x', migrate: 'node m.js' } } }, ['npm', 'run', 'migrate']],
    ['no script that can lose data', { 'package.json': { scripts: { migrate: 'prisma migrate reset --force' } } }, undefined],
    ['no script of another name', { 'package.json': { scripts: { 'migrate:undo': 'x' } } }, undefined],
    ['Prisma', { 'prisma/schema.prisma': '', 'prisma/migrations/1/a.sql': '' }, ['npx', '--no-install', 'prisma', 'migrate', 'deploy']],
    ['Prisma without migrations', { 'prisma/schema.prisma': '' }, undefined],
    [
      'an installed Drizzle',
      { 'drizzle.config.ts': '', 'node_modules/.bin/drizzle-kit': '' },
      ['node_modules/.bin/drizzle-kit', 'migrate'],
    ],
    ['Knex', { 'knexfile.js': '' }, ['npx', '--no-install', 'knex', 'migrate:latest']],
    ['Alembic', { 'alembic.ini': '' }, ['alembic', 'upgrade', 'head']],
    ['Django', { 'manage.py': '' }, ['python3', 'manage.py', 'migrate', '--noinput']],
    ['Rails', { 'bin/rails': '', 'db/migrate/1.rb': '' }, ['bin/rails', 'db:migrate']],
    ['a file', { 'scripts/migrate.mjs': '' }, ['node', 'scripts/migrate.mjs']],
    ['nothing', {}, undefined],
  ])('are applied by %s', (_, files, argv) => {
    expect(detect(files).first.migrate?.value).toEqual(argv);
  });
});

describe('without a command', () => {
  it.each<[string, Readonly<Record<string, unknown>>, readonly string[] | undefined]>([
    ['the start script itself', { 'package.json': { scripts: { start: 'node api.ts --x "a b"' } } }, ['node', 'api.ts', '--x', 'a b']],
    [
      'an installed program',
      { 'package.json': { scripts: { start: 'next start' } }, 'node_modules/.bin/next': '' },
      ['node_modules/.bin/next', 'start'],
    ],
    [
      'the package manager, where a shell is needed',
      { 'package.json': { scripts: { start: 'a && b' }, packageManager: 'yarn@4.0.0' } },
      ['yarn', 'start'],
    ],
    ['server.js', { 'server.js': '' }, ['node', 'server.js']],
    ['nothing', { 'README.md': '' }, undefined],
  ])('runs %s', (_, files, argv) => {
    expect(detect(files, null).first?.command?.value).toEqual(argv);
  });

  it('runs what the Procfile lists, gives PORT to web and its release to the migrations', () => {
    const { components } = detect(
      {
        Procfile:
          '# ours\nweb: node web.js\nworker: node worker.js --queue "a b"\nclock: sleep 1 && node clock.js\nrelease: node migrate.js\n\nnot a line\n',
        '.env': 'PORT=4000',
      },
      null,
    );
    expect([...components].map(([name, { command, port, migrate }]) => [name, command?.value, port?.value, migrate?.value])).toEqual([
      ['web', ['node', 'web.js'], 4000, ['node', 'migrate.js']],
      ['worker', ['node', 'worker.js', '--queue', 'a b'], undefined, undefined],
      ['clock', ['sh', '-c', 'sleep 1 && node clock.js'], undefined, undefined],
    ]);
  });

  it('says so when there is nothing to run', async () => {
    using project = new ConfigProject({ 'README.md': '' });
    expect(await project.mistakes()).toMatchObject([{ path: 'components', problem: 'there is nothing to run' }]);
  });
});

describe('the rest', () => {
  it('knows the database by its variable, and never copies its value', () => {
    expect(detect({ '.env': 'DATABASE_URL=postgres://u:secret@h/d' }).first.database).toEqual({
      value: '$DATABASE_URL',
      reason: 'DATABASE_URL in .env',
    });
    expect(detect({ '.env': 'DATABASE_URL=' }).first.database).toBeUndefined();
  });

  it.each([
    ['/usr/bin/node', 'node'],
    ['python3.12', 'python'],
    ['./node_modules/.bin/fastify', 'node'],
    ['./bin/server', 'unknown'],
    ['bundle', 'ruby'],
    ['app.jar', 'java'],
  ])('takes %s for %s', (program, language) => {
    expect(languageOf([program])).toBe(language);
  });

  it('works out what a config leaves open, but no port that may be another component’s', async () => {
    const components = { api: { command: 'node api.js', readiness: { http: '/ready' } }, worker: { command: 'node worker.js' } };
    using project = new ConfigProject({
      'grace.config.json': { components },
      '.env': 'PORT=4000\nDATABASE_URL=x\n',
      'package.json': { scripts: { migrate: 'node m.js' } },
    });
    const config = await project.load();
    expect(config.components).toMatchObject([
      {
        port: 4000,
        envFiles: [join(project.dir, '.env')],
        migrate: [],
        database: '$DATABASE_URL',
        readiness: { target: { url: 'http://127.0.0.1:4000/ready' } },
      },
      { port: null, envFiles: [join(project.dir, '.env')], migrate: [] },
    ]);
    expect(config.provenance.get('components.api.port')).toEqual({ source: 'detected', reason: 'PORT in .env', value: 4000 });
  });
});
