import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'lock_file_outdated',
    title: 'puts back the go.sum that lost a line',
    origin: 'Go 1.19: the entry of a module was deleted from go.sum',
    recording: 'go-sum',
    command: ['go', 'run', '.'],
    files: { 'go.mod': 'module example.com/shop\n', 'go.sum': 'github.com/gorilla/mux v1.8.0 h1:x\n' },
    breaks: (world) => world.write('go.sum', ''),
    isWell: 'grep -q gorilla go.sum',
    expects: { cause: 'go.sum does not fit the manifest', playbook: 'restore_go_sum', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'lock_file_outdated',
    title: 'never chooses versions by itself',
    origin: 'Go 1.19: go.sum without the entry of a module, from the start',
    recording: 'go-sum',
    command: ['go', 'run', '.'],
    files: { 'README.md': '' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'it lacks github.com/gorilla/mux', person: 'go mod tidy' },
  },
];
