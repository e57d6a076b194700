import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'module_shadowed',
    title: 'tells which new file hides the package that it means to import',
    origin: 'Python 3.11, a file redis.py that imports redis',
    recording: 'py-shadowed',
    command: ['python3', 'redis.py'],
    files: { 'app.py': 'import redis\n' },
    breaks: (world) => world.write('redis.py', 'import redis\n\nclient = redis.Redis()\n'),
    isWell: 'test ! -e redis.py',
    expects: {
      cause: 'redis.py is called like the package redis and hides it; it was not there at the last good boot',
      person: 'rename redis.py',
      waitFor: 'file_change',
    },
  },
  {
    family: 'module_shadowed',
    title: 'believes the Python that says so itself',
    origin: 'Python 3.13, a file random.py that imports random',
    recording: 'py-shadowed-313',
    command: ['python3', 'random.py'],
    files: { 'random.py': 'import random\n\nprint(random.randint(1, 6))\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'test ! -e random.py',
    expects: { cause: 'random.py is called like the package random', person: 'rename random.py' },
  },
];
