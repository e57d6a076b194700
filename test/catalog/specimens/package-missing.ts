import type { Specimen } from '../specimen.ts';
import { installed } from '../tiny-package.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'package_missing',
    title: 'puts back settings that ask for an application which was never installed',
    origin: "Django 3.2 (manage.py runserver) after 'payments' was added to INSTALLED_APPS without the package",
    recording: 'py-django-app-missing',
    command: ['python3', 'manage.py', 'runserver'],
    files: {
      'manage.py': "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')\n",
      'mysite/__init__.py': '',
      'mysite/settings.py': "INSTALLED_APPS = ['orders']\n",
    },
    breaks: (world) => world.write('mysite/settings.py', "INSTALLED_APPS = ['orders', 'payments']\n"),
    isWell: '! grep -q payments mysite/settings.py',
    expects: {
      cause: 'mysite/settings.py asks for payments since it was changed',
      playbook: 'restore_mysite_settings_py',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: 'settings that differ from the last good boot are no fault by themselves',
    },
  },
  {
    family: 'package_missing',
    title: 'installs the packages of the lock file, by running the service itself',
    origin: 'npm 11 and Node, node_modules was deleted',
    recording: null,
    command: ['node', 'server.js'],
    files: { 'server.js': "require('tiny').connect();\n" },
    prepares: installed,
    breaks: (world) => world.remove('node_modules'),
    expects: { cause: 'the package tiny is not installed', playbook: 'install_packages', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'package_missing',
    title: 'adds no package that nobody has asked for',
    origin: 'Node 26, require() of a package that is no dependency',
    recording: 'node26-module-missing',
    command: ['node', 'missing.js'],
    files: { 'missing.js': "require('express');\n", 'package.json': '{ "name": "app" }\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'express cannot be found, and no lock file of app asks for it', person: 'add express to the dependencies' },
  },
];
