import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'time_zone_missing',
    title: 'names the zone',
    origin: 'Python 3.11 without tzdata for the zone',
    recording: 'py-zone',
    command: ['python3', 'server.py'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the time zone Mars/Olympus is not known here', person: 'install tzdata' },
  },
  {
    family: 'time_zone_missing',
    title: 'knows that MySQL keeps zones in tables',
    origin: 'MariaDB 10.11 with default-time-zone = Europe/Kyjiv and empty zone tables',
    recording: 'mysql-tz',
    command: ['mariadbd'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'Europe/Kyjiv', person: 'mysql_tzinfo_to_sql' },
  },
];
