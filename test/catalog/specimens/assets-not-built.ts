import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'assets_not_built',
    title: 'puts back what was built for Rails and was deleted',
    origin: 'Rails 6.1 in production with Sprockets 3.7, without public/assets',
    recording: 'ruby-rails-asset',
    command: ['rails', 'runner', 'x'],
    files: {
      'public/assets/.sprockets-manifest-1.json': '{"assets": {"application.css": "application-1.css"}}\n',
      'public/assets/application-1.css': 'body { margin: 0; }\n',
      'bin/rails': { text: '', mode: 0o755 },
    },
    breaks: (world) => world.remove('public/assets'),
    isWell: 'test -s public/assets/application-1.css && test -s public/assets/.sprockets-manifest-1.json',
    expects: { cause: 'application.css is not there any more', playbook: 'restore_public_assets', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'assets_not_built',
    title: 'says how the static files of Django are collected',
    origin: 'Django 3.2 with ManifestStaticFilesStorage and DEBUG off, before collectstatic',
    recording: 'py-django-static',
    command: ['python3', 'st.py'],
    files: { 'st.py': '' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'site.css was not built', person: 'manage.py collectstatic' },
  },
];
