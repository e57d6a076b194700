import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'runtime_extension_missing',
    title: 'names the package of the extension whose function PHP does not know',
    origin: 'PHP 8.2 without php-mysql, a script that calls mysqli_connect()',
    recording: 'php-function',
    exitCode: 255,
    command: ['php', 'my.php'],
    files: { 'my.php': '<?php\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'PHP runs without mysqli', person: 'install php-mysql' },
  },
  {
    family: 'runtime_extension_missing',
    title: 'knows a part of the standard library that Debian packages by itself',
    origin: 'Python 3.11 of Debian without python3-gdbm, import dbm.gnu',
    recording: 'py-extension',
    command: ['python3', 'ext.py'],
    files: { 'ext.py': 'import dbm.gnu\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'Python runs without gdbm', person: 'install python3-gdbm' },
  },
];
