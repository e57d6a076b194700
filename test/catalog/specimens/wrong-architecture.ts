import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'wrong_architecture',
    title: 'puts back a program that was replaced by one for another machine',
    origin: 'bash 5.2 on x86-64: a 64-bit ARM program in the place of ./arm',
    recording: 'bash-wrong-architecture',
    command: ['bash', '-c', './arm'],
    exitCode: 126,
    files: { arm: '#!/bin/sh\nexit 0\n' },
    breaks: (world) => world.write('arm', '\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x0f\0\0\0'),
    isWell: "grep -q '^#!' arm",
    expects: {
      cause: 'it is built for',
      playbook: 'restore_arm',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: 'a program that changed may be a new build, and nothing but its start tells',
    },
  },
  {
    family: 'wrong_architecture',
    title: 'tells of a script that does not name its interpreter',
    origin: 'Python 3.11 subprocess: a file without #! on its first line',
    recording: 'py-wrong-architecture',
    command: ['python3', 'server.py'],
    files: { arm: 'node server.js\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'this machine cannot run arm', person: '#!' },
  },
];
