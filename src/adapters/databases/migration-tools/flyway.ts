import { crc32 } from 'node:zlib';
import { detected, trimmed, type Detector } from '../detected-migrations.ts';
import { firstOf } from './find-folder.ts';
import { isTrue } from './match-history.ts';

export const flyway: Detector = async (project) => {
  const config = (await project.read('flyway.conf')) + (await project.read('flyway.toml')) + (await project.read('conf/flyway.conf'));
  const configured = /filesystem:([\w./-]+)/.exec(config)?.[1];
  const versioned = /^V[\d._]+__.+\.(?:sql|java)$/;
  const folder = await firstOf(
    [...(configured ? [configured] : []), 'db/migration', 'src/main/resources/db/migration', 'sql', 'migrations'],
    async (path) => (await project.list(path)).some((name) => versioned.test(name)),
  );
  if (folder === null) return null;
  const files = (await project.list(folder)).filter((name) => versioned.test(name));
  return detected(
    'flyway',
    folder,
    ['flyway_schema_history'],
    ({ rows }) => {
      const applied = new Set(
        rows.filter((row) => isTrue(row['success'])).flatMap((row) => (row['version'] == null ? [] : [versionKey(row['version'])])),
      );
      const baselines = rows
        .filter((row) => row['type'] === 'BASELINE' && row['version'] != null)
        .map((row) => versionKey(row['version']!));
      return files
        .map((name) => ({ name, version: versionKey(/^V([\d._]+)__/.exec(name)![1]!) }))
        .filter(({ version }) => !applied.has(version) && !baselines.some((baseline) => compareVersions(version, baseline) <= 0))
        .toSorted((a, b) => compareVersions(a.version, b.version))
        .map(({ name }) => name);
    },
    {
      hasCustomTable: /^\s*(?:flyway\.)?table\s*=/m.test(config),
      record: {
        files: files.map((name) => ({ name, key: versionKey(/^V([\d._]+)__/.exec(name)![1]!), path: `${trimmed(folder)}/${name}` })),
        keyOf: (row) =>
          row['version'] == null || !/^(?:SQL|JDBC|SPRING_JDBC|SCRIPT)$/.test(row['type'] ?? 'SQL') ? null : versionKey(row['version']),
        nameOf: (row) => row['script'] ?? row['version'] ?? '',
        failureOf: (row) => (isTrue(row['success']) ? null : 'it ended with an error'),
        checksumOf: (row) => (row['type'] === 'SQL' ? (row['checksum'] ?? null) : null),
        checksumsFor: (text) => [String(flywayChecksum(text))],
      },
    },
  );
};

/** CRC-32 over the lines without their ends, as a signed number. See `ChecksumCalculator` of Flyway. */
function flywayChecksum(text: Buffer): number {
  const lines = text
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/);
  return lines.reduce((sum, line) => crc32(line, sum), 0) | 0;
}

/** `01.2_0` and `1.2` are the same version to Flyway. */
function versionKey(version: string): string {
  return version
    .split(/[._]/)
    .map((part) => part.replace(/^0+(?=\d)/, ''))
    .join('.')
    .replace(/(?:\.0)+$/, '');
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.'), b.split('.')];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = BigInt(left[index] || '0') - BigInt(right[index] || '0');
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  return 0;
}
