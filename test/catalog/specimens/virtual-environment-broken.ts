import { readdirSync } from 'node:fs';
import type { Specimen } from '../specimen.ts';

/** A Python of this machine, where systems put it; the test of its remedy needs one. */
const PYTHON = ['/usr/local/bin', '/usr/bin']
  .flatMap((dir) => readdirSync(dir).map((name) => ({ dir, version: /^python(3\.\d+)$/.exec(name)?.[1] })))
  .find(({ version }) => version !== undefined);

const gone: Specimen = {
  family: 'virtual_environment_broken',
  title: 'tells a person to make the environment anew when its Python is no longer installed',
  origin: 'dash (exec .venv/bin/python3) after the Python that the environment linked to was removed',
  recording: 'py-venv-exec',
  exitCode: 127,
  command: ['sh', 'start.sh'],
  files: {
    'start.sh': 'exec .venv/bin/python3 app.py\n',
    '.venv/pyvenv.cfg': 'home = /opt/python3.99/bin\nversion = 3.99.1\n',
    '.venv/bin/python3': { link: '/opt/python3.99/bin/python3' },
  },
  isFirstBoot: true,
  breaks: () => undefined,
  isWell: 'false',
  expects: { cause: 'Python 3.99 is not installed any more', person: 'python3 -m venv --clear .venv' },
};

export const specimens: readonly Specimen[] =
  PYTHON === undefined
    ? [gone]
    : [
        gone,
        {
          family: 'virtual_environment_broken',
          title: 'links the environment to the same version of Python where it is now',
          origin: 'a virtual environment of CPython whose link leads to a Python that was moved',
          recording: null,
          command: ['.venv/bin/python3', '-c', 'pass'],
          symptom: 'spawn',
          files: { '.venv/pyvenv.cfg': `home = ${PYTHON.dir}\nversion = ${PYTHON.version ?? ''}.2\n` },
          prepares: (world) => world.write('.venv/bin/python3', { link: `${PYTHON.dir}/python${PYTHON.version ?? ''}` }),
          breaks: (world) => {
            world.remove('.venv/bin/python3');
            world.write('.venv/bin/python3', { link: `/opt/gone/bin/python${PYTHON.version ?? ''}` });
          },
          expects: { cause: 'the Python of .venv is gone', playbook: 'relink_venv', risk: 'medium', tier: 'tier_2' },
        },
        {
          family: 'virtual_environment_broken',
          title: 'knows why another version finds no package, and installs none for it',
          origin: 'Python 3.11, import of a package that another version has; the system was upgraded under the environment',
          recording: 'py-module-missing',
          command: ['python3', 'nomod.py'],
          files: {
            'nomod.py': 'import fastapi_missing\n',
            'requirements.txt': 'fastapi-missing\n',
            '.venv/pyvenv.cfg': 'home = /usr/bin\nversion = 3.99.1\n',
            '.venv/bin/python3': { link: `${PYTHON.dir}/python${PYTHON.version ?? ''}` },
            '.venv/lib/python3.99/site-packages/fastapi_missing-1.0.dist-info/METADATA': '',
          },
          isFirstBoot: true,
          breaks: () => undefined,
          isWell: 'false',
          expects: { cause: 'which does not see its packages; Python 3.99 is not installed any more', person: 'install Python 3.99' },
        },
      ];
