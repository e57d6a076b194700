import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'file_missing',
    title: 'puts the database.yml of Rails back that was deleted',
    origin: 'Rails 6.1 (rails server) after config/database.yml was deleted',
    recording: 'ruby-rails-database-yml',
    command: ['rails', 'server'],
    files: { 'config/database.yml': 'production:\n  adapter: sqlite3\n' },
    breaks: (world) => world.remove('config/database.yml'),
    isWell: 'grep -q sqlite3 config/database.yml',
    expects: {
      cause: 'config/database.yml is missing; it was there at the last good boot',
      playbook: 'restore_config_database_yml',
      risk: 'medium',
      tier: 'tier_2',
    },
  },
  {
    family: 'file_missing',
    title: 'copies the example that lies beside what a first start lacks',
    origin: 'PHP 8.2, a script that reads config/settings.json, which does not exist',
    recording: 'php-open',
    command: ['php', 'open.php'],
    files: { 'open.php': '', 'config/settings.json.example': '{}\n' },
    isFirstBoot: true,
    breaks: (world) => world.remove('config/settings.json'),
    isWell: 'test -f config/settings.json',
    expects: {
      cause: 'config/settings.json is missing, and no earlier good boot had it',
      playbook: 'create_config_settings_json_from_example',
      risk: 'medium',
      tier: 'tier_2',
    },
  },
  {
    family: 'file_missing',
    title: 'leaves an example that has to be filled in to a person',
    origin: 'PHP 8.2, a script that reads config/settings.json, which does not exist',
    recording: 'php-open',
    command: ['php', 'open.php'],
    files: { 'open.php': '', 'config/settings.json.example': '{ "token": "change-me" }\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'test -f config/settings.json',
    expects: {
      cause: 'config/settings.json is missing, and no earlier good boot had it',
      person: 'copy config/settings.json.example',
      waitFor: 'file_change',
    },
  },
];
