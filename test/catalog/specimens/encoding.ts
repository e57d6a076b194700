import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'encoding',
    title: 'runs a Python that cannot print an umlaut with UTF-8',
    origin: 'Python 3.11 with PYTHONIOENCODING=ascii, print("…ü…")',
    recording: 'py-encode-ascii',
    command: ['python3', 'enc.py'],
    files: { 'enc.py': '' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'test "$PYTHONUTF8" = 1 && test "$PYTHONIOENCODING" = utf-8',
    expects: {
      cause: 'cannot express a character (ascii)',
      playbook: 'fix_unicode_logging',
      risk: 'low',
      tier: 'tier_1',
      noGuard: 'the variables stay set: they cannot get lost again',
    },
  },
];
