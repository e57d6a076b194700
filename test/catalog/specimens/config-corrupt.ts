import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'config_corrupt',
    title: 'puts back a configuration that was cut off, by running the service itself',
    origin: 'Node: the file was truncated',
    recording: null,
    command: ['node', 'server.js'],
    files: {
      'server.js':
        "const c = JSON.parse(require('fs').readFileSync('config.json', 'utf8')); if (c.port !== 3000) throw new Error('port');\n",
      'config.json': '{\n  "port": 3000,\n  "name": "shop"\n}\n',
    },
    breaks: (world) => world.write('config.json', '{\n  "port": 30'),
    expects: { cause: 'config.json', playbook: 'restore_config_json', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'config_corrupt',
    title: 'puts the database.yml of Rails back that lost a colon',
    origin: 'Rails 6.1 (rails server) with a config/database.yml that is no YAML',
    recording: 'ruby-rails-database-yml-syntax',
    command: ['rails', 'server'],
    files: { 'config/database.yml': 'default: &default\n  adapter: sqlite3\nproduction:\n  <<: *default\n' },
    breaks: (world) => world.write('config/database.yml', 'default: &default\n  adapter: sqlite3\nproduction\n  <<: *default\n'),
    isWell: "grep -q '^production:' config/database.yml",
    expects: { cause: 'config/database.yml', playbook: 'restore_config_database_yml', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'config_corrupt',
    title: 'puts PHP code back that its own interpreter cannot read',
    origin: 'PHP 8.2, a script that lost a comma',
    recording: 'php-parse',
    exitCode: 255,
    command: ['php', 'parse.php'],
    files: { 'parse.php': '<?php\n$config = [\n    "debug" => true,\n    "cache" => false,\n];\n' },
    breaks: (world) => world.write('parse.php', '<?php\n$config = [\n    "debug" => true\n    "cache" => false,\n];\n'),
    isWell: "grep -q 'true,' parse.php",
    expects: {
      cause: 'parse.php cannot be read: syntax error at line 4',
      playbook: 'restore_parse_php',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: 'only PHP itself can tell whether its code can be read',
    },
  },
  {
    family: 'config_corrupt',
    title: 'puts a Gemfile.lock back that was merged by half',
    origin: 'Bundler 2.3 with conflict marks in Gemfile.lock',
    recording: 'ruby-bundler-conflict',
    command: ['rails', 'server'],
    files: { Gemfile: "gem 'puma'\n", 'Gemfile.lock': 'GEM\n  specs:\n    puma (5.6.5)\n' },
    breaks: (world) => world.write('Gemfile.lock', 'GEM\n<<<<<<< HEAD\n  specs:\n    puma (5.6.5)\n'),
    isWell: "! grep -q '<<<<' Gemfile.lock",
    expects: {
      cause: 'Gemfile.lock is not a valid configuration',
      playbook: 'restore_gemfile_lock',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: 'only Bundler itself can tell whether it can read the file',
    },
  },
];
