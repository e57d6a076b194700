import type { Specimen } from '../specimen.ts';

const KEY = '0123456789abcdef0123456789abcdef';
const OTHER = 'fedcba9876543210fedcba9876543210';

export const specimens: readonly Specimen[] = [
  {
    family: 'encryption_key_wrong',
    title: 'puts the master key of Rails back that was lost',
    origin: 'Rails 6.1 in production with config.require_master_key, after config/master.key was deleted',
    recording: 'ruby-rails-master-key',
    command: ['rails', 'server'],
    files: { 'config/master.key': { text: KEY, mode: 0o600 }, 'config/credentials.yml.enc': 'x--y--z' },
    breaks: (world) => world.remove('config/master.key'),
    isWell: `test "$(cat config/master.key)" = ${KEY}`,
    expects: { cause: 'config/master.key is gone', playbook: 'restore_config_master_key', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'encryption_key_wrong',
    title: 'puts the master key back in whose place another one lies',
    origin: 'Rails 6.1 in production with another config/master.key',
    recording: 'ruby-rails-wrong-key',
    command: ['rails', 'server'],
    files: { 'config/master.key': { text: KEY, mode: 0o600 }, 'config/credentials.yml.enc': 'x--y--z' },
    breaks: (world) => world.write('config/master.key', OTHER),
    isWell: `test "$(cat config/master.key)" = ${KEY}`,
    expects: {
      cause: 'config/master.key is not what it was',
      playbook: 'restore_config_master_key',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: 'a key that was replaced together with what it opens is no fault',
    },
  },
  {
    family: 'encryption_key_wrong',
    title: 'never invents a key that nobody has given it',
    origin: 'Rails 6.1 in production with config.require_master_key, a fresh checkout without config/master.key',
    recording: 'ruby-rails-master-key',
    command: ['rails', 'server'],
    files: { 'config/credentials.yml.enc': 'x--y--z', '.env.example': '# secret: generate\nRAILS_MASTER_KEY=\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'test -s config/master.key',
    expects: {
      cause: 'the key that opens the encrypted settings is missing',
      person: 'get the key from whoever has it',
      waitFor: 'file_change',
    },
  },
];
