import type { Specimen } from '../specimen.ts';

const GOOD = 'import django\n\ndjango.setup()\nfrom django.contrib.auth.models import User\n\nprint(User.objects.count())\n';
const BAD = 'from django.contrib.auth.models import User\n\nprint(User.objects.count())\n';

export const specimens: readonly Specimen[] = [
  {
    family: 'used_too_early',
    title: 'offers the code that set Django up before it imported models',
    origin: 'Django 3.2, a script that imports models without django.setup()',
    recording: 'py-django-apps-not-ready',
    command: ['python3', 'worker.py'],
    files: { 'worker.py': GOOD },
    breaks: (world) => world.write('worker.py', BAD),
    isWell: 'grep -q setup worker.py',
    expects: {
      cause: 'worker.py:1 uses the apps before it is set up; worker.py changed since the last good boot',
      playbook: 'restore_worker_py',
      risk: 'high',
      tier: 'tier_3',
      noGuard: 'code that differs from the last good boot is no fault by itself',
    },
  },
  {
    family: 'used_too_early',
    title: 'says what has to come first when the code was always like that',
    origin: 'Django 3.2, a script that imports models without django.setup()',
    recording: 'py-django-apps-not-ready',
    command: ['python3', 'worker.py'],
    files: { 'worker.py': BAD },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'uses the apps before it is set up', person: 'call django.setup() before models are imported' },
  },
];
