import type { Specimen } from '../specimen.ts';

const NO_GUARD = 'the variable stays set: it cannot get lost again';

export const specimens: readonly Specimen[] = [
  {
    family: 'application_unnamed',
    title: 'tells Flask the only module of the project that has an application',
    origin: 'Flask 3.1 (flask run) in a directory with shop.py, without FLASK_APP',
    recording: 'py-flask-unnamed',
    exitCode: 2,
    command: ['flask', 'run'],
    files: { 'shop.py': 'from flask import Flask\n\nweb = Flask(__name__)\n', 'prices.py': 'VAT = 0.19\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'test "$FLASK_APP" = shop',
    expects: { cause: 'FLASK_APP is not set', playbook: 'set_flask_app_to_shop', risk: 'medium', tier: 'tier_2', noGuard: NO_GUARD },
  },
  {
    family: 'application_unnamed',
    title: 'leaves the choice between two Flask applications to a person',
    origin: 'Flask 3.1 (flask run) without FLASK_APP',
    recording: 'py-flask-unnamed',
    exitCode: 2,
    command: ['flask', 'run'],
    files: {
      'shop.py': 'from flask import Flask\n\nweb = Flask(__name__)\n',
      'admin.py': 'from flask import Flask\n\n\ndef create_app():\n    return Flask(__name__)\n',
    },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'test -n "$FLASK_APP"',
    expects: { cause: 'admin and shop could both be meant', person: 'set FLASK_APP', waitFor: 'file_change' },
  },
  {
    family: 'application_unnamed',
    title: 'gives a worker the settings module that manage.py and wsgi.py name',
    origin: 'Django 3.2, a script that imports models without DJANGO_SETTINGS_MODULE',
    recording: 'py-django-settings-unset',
    command: ['python3', 'worker.py'],
    files: {
      'worker.py': 'from django.contrib.auth.models import User\n',
      'manage.py': "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')\n",
      'mysite/wsgi.py': "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')\n",
      'mysite/settings.py': "SECRET_KEY = 'x'\n",
    },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'test "$DJANGO_SETTINGS_MODULE" = mysite.settings',
    expects: {
      cause: 'DJANGO_SETTINGS_MODULE is not set',
      playbook: 'set_django_settings_module_to_mysite_settings',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: NO_GUARD,
    },
  },
  {
    family: 'application_unnamed',
    title: 'puts back the config.ru that Puma finds its application by',
    origin: 'Puma 5.6 in a directory whose config.ru was deleted',
    recording: 'ruby-puma-no-app',
    command: ['puma', '-p', '9292'],
    files: { 'config.ru': "require './app'\nrun Shop::App\n", 'app.rb': 'module Shop; end\n' },
    breaks: (world) => world.remove('config.ru'),
    isWell: 'test -s config.ru',
    expects: { cause: 'config.ru, which names the application, is gone', playbook: 'restore_config_ru', risk: 'medium', tier: 'tier_2' },
  },
];
