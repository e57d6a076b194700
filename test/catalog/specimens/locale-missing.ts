import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'locale_missing',
    title: 'runs it with a locale that is everywhere',
    origin: 'a C++ program, libstdc++ 12, LC_ALL=de_DE.UTF-8 where only C.UTF-8 is installed',
    recording: 'cpp-locale',
    command: ['loc'],
    exitCode: 134,
    env: { LC_ALL: 'de_DE.UTF-8' },
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'test "$LC_ALL" = C.UTF-8',
    expects: {
      cause: 'the locale de_DE.UTF-8 that app asks for is not installed',
      playbook: 'use_a_locale_that_is_there',
      risk: 'low',
      tier: 'tier_1',
      noGuard: 'the override holds until somebody takes it away',
    },
  },
  {
    family: 'locale_missing',
    title: 'never changes the locale of a database',
    origin: 'PostgreSQL 15.20 with lc_messages of a locale that is not installed',
    recording: 'pg-locale',
    command: ['postgres', '-D', 'data'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the locale de_DE.UTF-8', person: 'install the locale de_DE.UTF-8' },
  },
];
