import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'runtime_option_invalid',
    title: 'leaves an option of the command to a person',
    origin: 'OpenJDK 17 with an option of Java 8',
    recording: 'java-vm-option',
    command: ['java', '-XX:+UseConcMarkSweepGC', '-jar', 'shop.jar'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'does not accept the option UseConcMarkSweepGC', person: 'JAVA_TOOL_OPTIONS' },
  },
];
