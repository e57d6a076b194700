import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'memory_refused',
    title: 'names the option of the JVM',
    origin: 'OpenJDK 17 with -Xmx8g where 6 GB of addresses are allowed',
    recording: 'java-heap-reserve',
    command: ['java', '-Xmx8g', '-jar', 'shop.jar'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'asks for more memory (8192 MB) than this machine gives: -Xmx', person: 'lower -Xmx' },
  },
  {
    family: 'memory_refused',
    title: 'names the setting of PostgreSQL',
    origin: 'PostgreSQL 15.20 with shared_buffers = 400GB',
    recording: 'pg-shm-big',
    command: ['postgres', '-D', 'data'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'shared_buffers', person: 'lower shared_buffers' },
  },
  {
    family: 'memory_refused',
    title: 'names the setting of MariaDB',
    origin: 'MariaDB 10.11 with innodb_buffer_pool_size = 400G',
    recording: 'mysql-pool',
    command: ['mariadbd'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'innodb_buffer_pool_size', person: 'lower innodb_buffer_pool_size' },
  },
];
