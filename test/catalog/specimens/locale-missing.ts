import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'locale_missing',
    title: 'runs it with the UTF-8 locale that every system has',
    origin: 'Python 3.11, locale.setlocale(LC_ALL, "") with LC_ALL=de_DE.UTF-8 on a system without that locale',
    recording: 'py-locale',
    command: ['python3', 'loc.py'],
    env: { LC_ALL: 'de_DE.UTF-8' },
    files: { 'loc.py': 'import locale\nlocale.setlocale(locale.LC_ALL, "")\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'test "$LC_ALL" = C.UTF-8',
    expects: {
      cause: 'the locale de_DE.UTF-8, which LC_ALL ask for, is not installed',
      playbook: 'use_the_plain_utf8_locale',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: 'the variable stays set: it cannot get lost again',
    },
  },
  {
    family: 'locale_missing',
    title: 'leaves a locale that the code itself asks for to a person',
    origin: 'Python 3.11, locale.setlocale with a locale that is not installed',
    recording: 'py-locale',
    command: ['python3', 'loc.py'],
    files: { 'loc.py': 'import locale\nlocale.setlocale(locale.LC_ALL, "de_DE.UTF-8")\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the code asks for a locale that is not installed', person: 'install the locale' },
  },
];
