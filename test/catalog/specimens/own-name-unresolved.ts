import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'own_name_unresolved',
    title: 'knows its own name from any other',
    origin: 'OpenJDK 17 in a UTS namespace whose host name is in no hosts file',
    recording: 'java-own-host',
    command: ['java', '-jar', 'shop.jar'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'cannot resolve its own name app-7f9c', person: '/etc/hosts' },
  },
];
