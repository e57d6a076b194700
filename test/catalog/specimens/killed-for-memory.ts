import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'killed_for_memory',
    title: 'gives a container that is too small to a person',
    origin: 'kernel log of a memory cgroup: form as in the kernel source (mm/oom_kill.c), the process got SIGKILL',
    recording: 'kernel-oom',
    command: ['bash', 'start.sh'],
    signal: 'SIGKILL',
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'had no memory left', person: 'give it more memory' },
  },
  {
    family: 'killed_for_memory',
    title: 'starts it again with empty memory while it runs',
    origin: 'kernel log of a memory cgroup: form as in the kernel source (mm/oom_kill.c)',
    recording: 'kernel-oom',
    command: ['bash', 'start.sh'],
    signal: 'SIGKILL',
    stage: 'runtime',
    files: { 'start.sh': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: {
      cause: 'had no memory left',
      playbook: 'restart_app_killed_for_memory',
      risk: 'low',
      tier: 'tier_2',
      provenBy: 'test/process/supervise.test.ts',
    },
  },
];
