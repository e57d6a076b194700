import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Fact, FactKind } from '../incidents/index.ts';
import { commandsFor, type CommandCase } from './commands-for.ts';
import type { Diagnosis, Remedy } from './family.ts';

const PROJECT = '/srv/shop';

function fact(kind: FactKind, subject: string): Fact {
  return { kind, runtime: 'node', code: '', subject, details: {}, line: '', lineIndex: 0 };
}

function aCase(parts: Partial<CommandCase> = {}, ...facts: readonly Fact[]): CommandCase {
  return {
    failure: { facts, context: { pid: 77 }, stage: '6. Autonomy Load' },
    component: { name: 'api', kind: 'process', cwd: PROJECT, logFile: `${PROJECT}/.grace/logs/api.log`, envFiles: [], port: 4610 },
    incident: 'autonomy_load_01234567',
    outcome: 'waiting',
    playbook: null,
    approval: null,
    hasLog: true,
    hasDrift: false,
    projectDir: PROJECT,
    ...parts,
  };
}

function diagnosis(family: string, parts: Partial<Diagnosis> = {}): Diagnosis {
  return { family, cause: '', evidence: [], confidence: 0.9, remedy: null, advice: [], waitFor: null, ...parts };
}

const lines = (d: Diagnosis, c: CommandCase) => commandsFor(d, c).map((one) => one.command);

const remedy = (params: Remedy['steps'][number]['params'], description = ''): Remedy => ({
  playbook: 'x',
  description,
  risk: 'low',
  tier: 'tier_1',
  steps: [{ name: 's', primitive: 'p', params }],
  restart: true,
});

test('what failed at run time, or was only reported, is not told to be started again', () => {
  for (const stage of ['runtime', 'Import orders'])
    expect(lines(diagnosis('unexplained'), aCase({ failure: { facts: [], context: {}, stage }, hasLog: false }))).toEqual([]);
});

describe('a person is given', () => {
  test.each([
    ['node', 'npm ci'],
    ['python', 'python3 -m pip install -r requirements.txt'],
    ['ruby', 'bundle install'],
    ['php', 'composer install'],
  ] as const)('the package manager of %s', (runtime, install) => {
    const known = aCase({}, { ...fact('module_missing', 'Monolog'), runtime });
    expect(lines(diagnosis('package_missing', { remedy: remedy({}) }), known)).toContain(install);
    // Where nothing can be installed, the lock file does not name what is missing.
    expect(lines(diagnosis('package_missing'), known)).not.toContain(install);
  });

  test('the package manager that the fix would use', () => {
    const withComposer = remedy({ directory: PROJECT }, 'install the packages of the lock file with composer');
    expect(lines(diagnosis('package_missing', { remedy: withComposer }), aCase())).toContain('composer install');
  });

  test('who holds the port, the log, and the way to start again', () => {
    const cause = 'port 4610 is in use by node (pid 2901, user ada)';
    expect(lines(diagnosis('port_in_use', { cause }), aCase({}, fact('port_in_use', '4610')))).toEqual([
      "ss -ltnp 'sport = :4610'",
      'ps -o pid,ppid,user,lstart,args -p 2901',
      'tail -n 50 .grace/logs/api.log',
      'grace up',
    ]);
  });

  test('the approval first, where one waits, and no restart that would only ask again', () => {
    const c = aCase({ outcome: 'needs_approval', approval: 'ap_1', playbook: 'mend_it', hasDrift: true });
    expect(lines(diagnosis('unexplained'), c)).toEqual([
      'grace approvals show ap_1',
      'grace approvals approve ap_1',
      'tail -n 50 .grace/logs/api.log',
      'grace diff',
    ]);
  });

  test('only what was done, once it is healed', () => {
    expect(lines(diagnosis('port_in_use'), aCase({ outcome: 'healed', playbook: 'free_port_4610' }))).toEqual([
      'grace playbooks show free_port_4610',
    ]);
    expect(lines(diagnosis('crash'), aCase({ outcome: 'healed' }))).toEqual([]);
  });

  test.each<[string, Diagnosis, CommandCase, string]>([
    [
      'an install in its folder',
      diagnosis('package_missing', { remedy: remedy({ directory: '.' }, 'install with npm') }),
      aCase(),
      'npm ci',
    ],
    [
      'an install with the right tool',
      diagnosis('package_missing', { remedy: remedy({ directory: 'web' }, 'install the packages of the lock file with pnpm') }),
      aCase(),
      '(cd web && pnpm install --frozen-lockfile)',
    ],
    ['what is installed', diagnosis('package_damaged'), aCase({}, fact('module_missing', '@acme/db')), 'npm ls @acme/db'],
    [
      'which file sets a variable, and never its value',
      diagnosis('env_missing'),
      aCase({}, fact('env_missing', 'DATABASE_URL')),
      "grep -l -e '^DATABASE_URL=' .env",
    ],
    ['the example', diagnosis('env_file_missing'), aCase(), 'cp -n .env.example .env'],
    [
      'whether a dependency answers',
      diagnosis('dependency_down', { waitFor: { kind: 'reachable', host: '10.0.0.7', port: 5432 } }),
      aCase(),
      'nc -vz -w 3 10.0.0.7 5432',
    ],
    [
      'the way to a path',
      diagnosis('permission_denied'),
      aCase({}, fact('permission_denied', '/etc/shop/key.pem')),
      'namei -l /etc/shop/key.pem',
    ],
    ['a path with a space in it', diagnosis('file_missing'), aCase({}, fact('path_missing', 'my data.json')), "ls -ld 'my data.json'"],
    ['how full the disk is', diagnosis('disk_full', { waitFor: { kind: 'disk_room', path: '/var', bytes: 1 } }), aCase(), 'df -h /var'],
  ])('%s', (_what, d, c, expected) => {
    expect(lines(d, c)).toContain(expected);
  });
});

test('there are never more than can be read, and each says why', () => {
  const many = diagnosis('drift_suspect', { remedy: remedy({ path: 'a', file: 'b' }), waitFor: { kind: 'file_change', path: 'c' } });
  const commands = commandsFor(many, aCase({ hasDrift: true }));
  expect(commands.length).toBeLessThanOrEqual(6);
  expect(commands.every(({ why }) => why !== '')).toBe(true);
});

test('nothing that ends, removes or overwrites is ever among them', () => {
  const hostile = ['x', '/a/b', '4610', 'db:5432', 'NAME'];
  const kinds: readonly FactKind[] = [
    'port_in_use',
    'path_missing',
    'permission_denied',
    'module_missing',
    'env_missing',
    'connection_refused',
  ];
  const facts = kinds.flatMap((kind) => hostile.map((subject) => fact(kind, subject)));
  for (const family of FAMILIES) {
    for (const line of lines(diagnosis(family), aCase({ hasDrift: true }, ...facts)))
      expect(line).not.toMatch(/\b(?:rm|kill|pkill|dd|mv|truncate|chmod|chown|drop|reset|--force)\b|[^<]>/);
  }
});

const FAMILIES = [
  'port_in_use', 'dependency_down', 'env_missing', 'env_file_missing', 'package_missing', 'command_missing', 'config_corrupt', 'file_missing',
  'permission_denied', 'stale_lock', 'database_locked', 'certificate_problem', 'disk_full', 'read_only_file_system', 'too_many_open_files',
]; // prettier-ignore

test('what error text says is never run by the shell that it is pasted into', () => {
  const dir = mkdtempSync(join(tmpdir(), 'grace-commands-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const run = `touch ${dir}/pwned`;
  const texts = [
    `$(${run})`,
    `\`${run}\``,
    `'; ${run}; '`,
    `a" ; ${run} #`,
    `x\n${run}`,
    `| ${run}`,
    `--opt=$(${run})`,
    `db$(${run}):5432`,
  ];
  const kinds: readonly FactKind[] = [
    'port_in_use', 'path_missing', 'permission_denied', 'module_missing', 'env_missing', 'connection_refused', 'command_missing',
    'certificate_problem', 'database_locked', 'lock_held', 'disk_full',
  ]; // prettier-ignore
  for (const text of texts) {
    const facts = kinds.map((kind) => fact(kind, text));
    for (const family of FAMILIES)
      for (const line of lines(diagnosis(family, { cause: text, remedy: remedy({ path: text, directory: text }) }), aCase({}, ...facts)))
        // Only parsed and expanded: every program is a function that does nothing.
        execFileSync('sh', ['-c', `${STUBS}\n${line}`], { cwd: dir, stdio: 'ignore' });
  }
  expect(existsSync(join(dir, 'pwned'))).toBe(false);
});

const STUBS = [
  'ss',
  'ps',
  'tail',
  'grace',
  'nc',
  'grep',
  'cp',
  'npm',
  'ls',
  'git',
  'namei',
  'fuser',
  'openssl',
  'df',
  'du',
  'sort',
  'findmnt',
  'cat',
  'wc',
  'command',
]
  .map((name) => `${name}() { :; }`)
  .join('; ')
  .concat('; cd() { :; }');

test('a path that looks like an option is told as a path', () => {
  expect(lines(diagnosis('file_missing'), aCase({}, fact('path_missing', '--version')))).toContain('ls -ld ./--version');
});
