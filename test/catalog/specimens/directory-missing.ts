import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'directory_missing',
    title: 'makes the directory that gunicorn writes its pid file to',
    origin: 'gunicorn 20.1 (gunicorn -p run/gunicorn.pid) without the directory run',
    recording: 'py-gunicorn-pid-dir',
    command: ['gunicorn', '-p', 'run/gunicorn.pid', 'good:app'],
    files: { 'good.py': '', run: { directory: true } },
    breaks: (world) => world.remove('run'),
    isWell: 'test -d run',
    expects: { cause: 'the directory run is missing', playbook: 'make_run', risk: 'low', tier: 'tier_1' },
  },
  {
    family: 'directory_missing',
    title: 'makes the directory of the socket of PHP-FPM also for the first start',
    origin: 'PHP-FPM 8.2 with listen = …/sock/web.sock and no directory sock',
    recording: 'php-fpm-socket',
    exitCode: 78,
    command: ['php-fpm', '-F', '-y', 'sock.conf'],
    files: { 'sock.conf': '[www]\n' },
    isFirstBoot: true,
    breaks: (world) => world.remove('sock'),
    isWell: 'test -d sock',
    expects: { cause: 'the directory sock is missing', playbook: 'make_sock', risk: 'low', tier: 'tier_1' },
  },
  {
    family: 'directory_missing',
    title: 'asks whether a volume is not mounted when many files went with the directory',
    origin: 'PHP 8.2 (php -S 127.0.0.1:8080 -t web) after web was deleted',
    recording: 'php-no-docroot',
    command: ['php', '-S', '127.0.0.1:8080', '-t', 'web'],
    files: Object.fromEntries(Array.from({ length: 24 }, (_, i) => [`web/page-${i}.html`, `<p>${i}</p>\n`])),
    breaks: (world) => world.remove('web'),
    isWell: 'test -d web',
    expects: { cause: 'the directory web is gone, with 24 files', person: 'whether a volume belongs at web', waitFor: 'file_change' },
  },
];
