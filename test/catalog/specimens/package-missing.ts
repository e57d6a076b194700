import type { Specimen } from '../specimen.ts';

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
];
