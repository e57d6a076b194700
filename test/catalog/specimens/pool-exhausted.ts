import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'pool_exhausted',
    title: 'empties the pool of a service that runs',
    origin: 'HikariCP 2.7.9 with one connection that is never given back',
    recording: 'java-hikari-timeout',
    command: ['java', '-jar', 'shop.jar'],
    stage: 'runtime',
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: {
      cause: 'the connection pool HikariPool-1 of app is used up',
      playbook: 'restart_app_pool_exhausted',
      risk: 'low',
      tier: 'tier_2',
      provenBy: 'test/process/supervise.test.ts',
    },
  },
  {
    family: 'pool_exhausted',
    title: 'does not start again what fails at once',
    origin: 'HikariCP 2.7.9 with one connection that is never given back',
    recording: 'java-hikari-timeout',
    command: ['java', '-jar', 'shop.jar'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the connection pool HikariPool-1 of app is used up', person: 'give every connection back' },
  },
];
