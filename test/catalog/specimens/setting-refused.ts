import type { Specimen } from '../specimen.ts';

const MANAGE = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')\n";
const NO_GUARD = 'settings that differ from the last good boot are no fault by themselves';

export const specimens: readonly Specimen[] = [
  {
    family: 'setting_refused',
    title: 'puts back the settings whose hosts were lost, and never lets in any host',
    origin: 'Django 3.2 (manage.py runserver) with DEBUG off and ALLOWED_HOSTS emptied',
    recording: 'py-django-allowed-hosts',
    command: ['python3', 'manage.py', 'runserver'],
    files: {
      'manage.py': MANAGE,
      'mysite/__init__.py': '',
      'mysite/settings.py': "DEBUG = False\nALLOWED_HOSTS = ['shop.example']\n",
    },
    breaks: (world) => world.write('mysite/settings.py', 'DEBUG = False\nALLOWED_HOSTS = []\n'),
    isWell: 'grep -q shop.example mysite/settings.py',
    expects: {
      cause: 'Django refuses the setting ALLOWED_HOSTS; mysite/settings.py changed',
      playbook: 'restore_mysite_settings_py',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: NO_GUARD,
    },
  },
  {
    family: 'setting_refused',
    title: 'repeats what a system check says to a person who starts it the first time',
    origin: 'Django 3.2 (manage.py runserver) with CACHES that has no default',
    recording: 'py-django-check',
    command: ['python3', 'manage.py', 'runserver'],
    files: { 'manage.py': MANAGE, 'mysite/settings.py': "CACHES = {'other': {}}\n" },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'grep -q default mysite/settings.py',
    expects: {
      cause: "the setting CACHES: You must define a 'default' cache",
      person: 'correct CACHES in mysite/settings.py',
      waitFor: 'file_change',
    },
  },
];
