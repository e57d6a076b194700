import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nodeClock } from '../adapters/node/clock.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { programOf } from '../adapters/protocols/testing/servers.ts';
import { meets, python } from '../catalog/checks/python.ts';
import { ask, inShort, serviceFolder, type Ports } from '../catalog/checks/testing.ts';
import type { Finding } from '../domains/preflight/index.ts';
import type { ComponentSpec } from '../domains/supervisor/index.ts';

const unused = (): never => {
  throw new Error('not asked here');
};
const PORTS: Ports = { clock: nodeClock, files: nodeFiles, spawner: nodeSpawner, lint: unused, runModule: unused, ask: unused };
const interpreter = programOf('python3');

async function look(
  files: Readonly<Record<string, string>>,
  command: string,
  change: Partial<ComponentSpec> = {},
  env: Record<string, string> = {},
): Promise<{ readonly dir: string; readonly findings: readonly Finding[]; readonly short: readonly string[] }> {
  const dir = serviceFolder(files);
  const findings = await ask(python, dir, PORTS, { spec: { command: command.split(' '), ...change }, env });
  return { dir, findings, short: inShort(findings, dir) };
}

describe.skipIf(interpreter === null)('a Python service (skipped where there is no python3)', () => {
  const PROJECT = {
    'app/__init__.py': '',
    'app/main.py':
      'from __future__ import annotations\nimport json\nfrom .models import Order\nfrom . import settings\nimport app.routes.orders\nfrom app import routes\n',
    'app/models.py': 'import dataclasses\nclass Order: ...\n',
    'app/settings.py': 'DEBUG = False\n',
    'app/routes/__init__.py': 'from .orders import list_orders\n',
    'app/routes/orders.py': 'from ..models import Order\ndef list_orders(): ...\n',
  };

  test.each([
    'python3 -m app.main',
    'python3 -u -m uvicorn app.main:app --port 8000',
    'python3 -m gunicorn -b unix:app.sock -w 4 app.main:app',
    'python3 -m celery -A app.main worker',
  ])('one that is well is silent: %s', async (command) => {
    expect((await look(PROJECT, command)).short).toEqual([]);
  });

  test('a package that is not installed, and a module that is not there, are errors with their place', async () => {
    const { short, findings } = await look(
      { ...PROJECT, 'app/models.py': 'import json\nimport no_such_package_here\nfrom app.gone import x\n' },
      'python3 -m uvicorn app.main:app',
    );
    expect(short).toEqual(['error python_module_missing app/models.py:2', 'error python_module_missing app/models.py:3']);
    expect(findings.map(({ message }) => message)).toEqual([
      'app/models.py:2 imports no_such_package_here, which is not there',
      'app/models.py:3 imports app.gone, which is not there',
    ]);
  });

  test.each([
    ['#!/usr/bin/env python3', ['error python_module_missing app.py:2']],
    // it does not look where others do
    ['#!/usr/bin/env -S python3 -I', []],
    ['#!/bin/sh', []],
  ])('a script that is started by its first line: %s', async (line, expected) => {
    expect((await look({ 'app.py': `${line}\nimport nope_here\n` }, './app.py --port 1')).short).toEqual(expected);
  });

  test('a relative import that leads nowhere is an error', async () => {
    expect((await look({ ...PROJECT, 'app/routes/orders.py': 'from ..modles import Order\n' }, 'python3 -m app.main')).short).toEqual([
      'error python_module_missing app/routes/orders.py:1',
    ]);
  });

  test('the application that the command names has to be there', async () => {
    expect((await look(PROJECT, 'python3 -m uvicorn app.server:app')).findings).toMatchObject([
      { severity: 'error', message: 'its command names app.server, which is not there' },
    ]);
  });

  test('an import in try, if, a function or a class is optional', async () => {
    const optional = [
      'try:\n    import no_such_a\nexcept ImportError:\n    no_such_a = None',
      'from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import no_such_b',
      'def later():\n    import no_such_c',
      'class A:\n    def b(self):\n        import no_such_d',
    ];
    expect((await look({ 'server.py': `${optional.join('\n')}\n` }, 'python3 server.py')).short).toEqual([]);
  });

  test('where the search path is changed nothing is said of imports', async () => {
    expect(
      (
        await look(
          { 'server.py': "import sys\nsys.path.insert(0, 'vendor')\nimport vendored\n", 'vendor/vendored.py': '' },
          'python3 server.py',
        )
      ).short,
    ).toEqual([]);
  });

  test.each([
    ['sys under another name', "import sys as s\ns.path.insert(0, 'vendor')\nimport vendored\n"],
    ['its path alone', "from sys import path\npath.insert(0, 'vendor')\nimport vendored\n"],
    ['a name made of parts', "import sys\ngetattr(sys, 'pa' + 'th').insert(0, 'vendor')\nimport vendored\n"],
    ['a text that is executed', "exec(open('set_up.txt').read())\nimport vendored\n"],
    ['a module loaded by its name', "import importlib\nimportlib.import_module('set_up')\nimport vendored\n"],
    ['a module written before', "with open('vendored.py', 'w') as file:\n    file.write('')\nimport vendored\n"],
  ])('what may change the search path makes a missing module a warning: %s', async (_, source) => {
    const warned = `warn python_module_missing server.py:${source.split('\n').length - 1}`;
    expect((await look({ 'server.py': source }, 'python3 server.py')).short).toEqual([warned]);
  });

  test('what only looks like it, or comes after the import, makes nothing uncertain', async () => {
    const source = "import importlib.metadata\nimport sys\nx = sys.argv\nimport no_such\nexec('x')\nopen('a', 'w')\n";
    expect((await look({ 'server.py': source }, 'python3 server.py')).short).toEqual(['error python_module_missing server.py:4']);
  });

  test('a sitecustomize of the project may change the search path', async () => {
    const files = { 'server.py': 'import vendored\n', 'hooks/sitecustomize.py': '' };
    expect((await look(files, 'python3 server.py', {}, { PYTHONPATH: 'hooks' })).short).toEqual(['warn python_module_missing server.py:1']);
  });

  test('folders without __init__.py are packages, at any depth', async () => {
    const files = {
      'app/__init__.py': '',
      'app/main.py':
        'from app.routers import users\nfrom app.v1.deep import orders\nimport app.v1.deep.orders\nfrom .routers.users import x\n',
      'app/routers/users.py': 'x = 1\n',
      'app/v1/deep/orders.py': '',
    };
    expect((await look(files, 'python3 -m app.main')).short).toEqual([]);
    const { 'app/__init__.py': _, ...without } = files;
    expect((await look(without, 'python3 -m app.main')).short).toEqual([]);
    expect((await look({ ...files, 'app/main.py': 'import app.v1.deep.gone\n' }, 'python3 -m app.main')).short).toEqual([
      'error python_module_missing app/main.py:1',
    ]);
  });

  test('an archive that Python runs is no source', async () => {
    expect((await look({ 'app.pyz': 'PK\u0003\u0004 \u0000 {' }, 'python3 app.pyz')).short).toEqual([]);
    expect((await look({ 'app.pyz': '#!/usr/bin/env python3\nPK\u0003\u0004\u0000 {' }, 'python3 app.pyz')).short).toEqual([]);
  });

  test('a package that makes its modules itself is believed', async () => {
    const files = { 'server.py': 'import plugins.red\n', 'plugins/__init__.py': 'def __getattr__(name): ...\n' };
    expect((await look(files, 'python3 server.py')).short).toEqual([]);
  });

  test('PYTHONPATH, the folder of a script and --app-dir are where modules are looked for', async () => {
    expect((await look({ 'src/server.py': 'import beside\n', 'src/beside.py': '' }, 'python3 src/server.py')).short).toEqual([]);
    expect((await look({ 'src/server.py': 'app = 1\n' }, 'python3 -m uvicorn server:app --app-dir src')).short).toEqual([]);
    expect((await look({ 'src/server.py': 'app = 1\n' }, 'python3 -m uvicorn server:app')).short).toEqual(['error python_module_missing']);
    expect((await look({ 'src/server.py': 'app = 1\n' }, 'python3 -m uvicorn server:app', {}, { PYTHONPATH: 'src' })).short).toEqual([]);
  });

  test('a syntax error is an error where the start comes by it, and a warning elsewhere', async () => {
    const { short, findings } = await look(
      { 'server.py': 'import broken\n', 'broken.py': 'x = 1\ndef f(:\n', 'scripts/old.py': 'print "hello"\n' },
      'python3 server.py',
    );
    expect(short).toEqual(['error python_syntax broken.py:2', 'warn python_syntax scripts/old.py:1']);
    expect(findings[0]?.message).toMatch(/^broken\.py:2:\d+ is no Python 3\.\d+: invalid syntax$/);
  });

  test('what a syntax error quotes is not shown', async () => {
    const { findings } = await look({ 'server.py': "password = 'hunter2hunter2' 'x\n" }, 'python3 server.py');
    expect(findings).toHaveLength(1);
    expect(JSON.stringify(findings)).not.toContain('hunter2');
  });

  test('nothing of the service is executed, whatever its modules are called, and nothing is written', async () => {
    const trap = "open('executed', 'w').close()\n";
    const files = Object.fromEntries(
      [
        'server.py',
        'app/__init__.py',
        'json.py',
        'ast.py',
        'site.py',
        'sitecustomize.py',
        'usercustomize.py',
        'importlib/__init__.py',
        'encodings/__init__.py',
      ].map((name) => [name, trap]),
    );
    const { dir, short } = await look(
      { ...files, 'server.py': `${trap}import app.inner\nimport json\n`, 'app/inner.py': trap },
      'python3 server.py',
      {},
      { PYTHONPATH: '.', PYTHONSTARTUP: 'server.py' },
    );
    expect(short).toEqual([]);
    expect(existsSync(join(dir, 'executed'))).toBe(false);
    expect(readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('__pycache__'))).toEqual([]);
  });

  test('files that would take a compiler down cost nothing but themselves', async () => {
    const files = {
      'server.py': 'import deep\nimport nul\nimport huge\n',
      'deep.py': `x = ${'('.repeat(5000)}${')'.repeat(5000)}\n`,
      'nul.py': 'x = 1\0\n',
      'huge.py': 'x = 1\n'.repeat(200_000),
      'loop/a.py': 'import loop.b\n',
    };
    const { findings } = await look(files, 'python3 server.py');
    expect(findings.filter(({ code }) => code === 'python_not_looked_at')).toEqual([]);
  });

  test('modules that import each other are looked at once', async () => {
    expect((await look({ 'a.py': 'import b\n', 'b.py': 'import a\n' }, 'python3 a.py')).short).toEqual([]);
  });

  test('environments in the folder are not the project', async () => {
    const files = {
      'server.py': '',
      'env/pyvenv.cfg': '',
      'env/lib/python3/site-packages/x.py': 'def (:',
      'node_modules/gyp/y.py': 'print "old"\n',
      '.tox/z.py': 'def (:',
    };
    expect((await look(files, 'python3 server.py')).short).toEqual([]);
  });

  test('Django settings are found by their name', async () => {
    const manage = "import os\ndef main():\n    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_config.settings')\n";
    const files = { 'manage.py': manage, 'site_config/__init__.py': '', 'site_config/settings.py': 'import no_such_backend\n' };
    expect((await look(files, 'python3 manage.py runserver')).short).toEqual(['error python_module_missing site_config/settings.py:1']);
    expect((await look({ 'manage.py': manage }, 'python3 manage.py runserver')).short).toEqual(['error python_module_missing']);
  });

  test('a virtual environment is asked with its own interpreter, by the first line of what it starts', async () => {
    const dir = serviceFolder({ 'main.py': 'import only_in_here\n' });
    execFileSync(interpreter ?? '', ['-m', 'venv', '--without-pip', join(dir, '.venv')]);
    const site = readdirSync(join(dir, '.venv/lib')).find((name) => name.startsWith('python')) ?? '';
    writeFileSync(join(dir, '.venv/bin/uvicorn'), `#!${join(dir, '.venv/bin/python')}\nimport sys\n`, { mode: 0o755 });
    const asked = (command: string) => ask(python, dir, PORTS, { spec: { command: command.split(' ') } });
    expect(inShort(await asked('.venv/bin/uvicorn main:app'), dir)).toEqual(['error python_module_missing main.py:1']);
    writeFileSync(join(dir, '.venv/lib', site, 'site-packages/only_in_here.py'), '');
    expect(await asked('.venv/bin/uvicorn main:app')).toEqual([]);
    expect(inShort(await asked('python3 main.py'), dir)).toEqual(['error python_module_missing main.py:1']);
    expect(await asked('poetry run python main.py')).toEqual([]);
  });

  test('an interpreter older than the project asks for is a warning', async () => {
    const project = (wanted: string) =>
      look({ 'server.py': '', 'pyproject.toml': `[project]\nname = "x"\nrequires-python = "${wanted}"\n` }, 'python3 server.py');
    expect((await project('>=3.7')).short).toEqual([]);
    expect((await project('>=3.99')).short).toEqual(['warn python_version pyproject.toml:3']);
    const poetry = '[tool.poetry.dependencies]\npython = "^2.7"\n';
    expect((await look({ 'server.py': '', 'pyproject.toml': poetry }, 'python3 server.py')).short).toEqual([
      'warn python_version pyproject.toml:2',
    ]);
  });

  test('a command that is no Python, or is not understood, is left alone', async () => {
    for (const command of [
      'node server.js',
      'python3 -c pass',
      'python3',
      'python3 -I server.py',
      'sh -c python3',
      'python3 -m uvicorn',
      '/no/such/uvicorn main:app',
    ])
      expect((await look({ 'server.py': 'import no_such' }, command)).short).toEqual([]);
  });
});

test.each([
  ['3.11.2', '>=3.8,<4.0', true],
  ['3.11.2', '>=3.8, <3.11', false],
  ['3.11.2', '~=3.10', true],
  ['3.11.2', '~=3.10.1', false],
  ['3.11.2', '==3.11.*', true],
  ['3.11.2', '!=3.11.*', false],
  ['3.11.2', '^3.9', true],
  ['3.11.2', '~3.10', false],
  ['3.11.2', '>3.11.2', false],
  ['3.11.2', '3.11.2', true],
  ['3.11.2', '>=3.8 || ^4', null],
  ['3.11.2', 'any', null],
])('Python %s where %s is wanted: %s', (version, wanted, expected) => {
  expect(meets(version, wanted)).toBe(expected);
});
