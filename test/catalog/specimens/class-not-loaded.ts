import type { Specimen } from '../specimen.ts';

const COMPOSER_JSON = '{"autoload": {"psr-4": {"Shop\\\\Web\\\\": "src/", "Shop\\\\Jobs\\\\": "jobs/"}}}\n';

export const specimens: readonly Specimen[] = [
  {
    family: 'class_not_loaded',
    title: 'puts back the file of a class that is gone',
    origin: 'PHP 8.2 with the autoloader of Composer 2.5, after src/Kernel.php was deleted',
    recording: 'php-class-file-gone',
    exitCode: 255,
    command: ['php', 'index.php'],
    files: {
      'index.php': '<?php\n',
      'composer.json': COMPOSER_JSON,
      'src/Kernel.php': '<?php\nnamespace Shop\\Web;\n\nclass Kernel\n{\n}\n',
    },
    breaks: (world) => world.remove('src/Kernel.php'),
    isWell: 'test -s src/Kernel.php',
    expects: { cause: 'src/Kernel.php is gone', playbook: 'restore_src_kernel_php', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'class_not_loaded',
    title: 'lets Composer make its map anew when the file of the class is where composer.json says',
    origin: 'PHP 8.2 with the autoloader of Composer 2.5, after a namespace was added to composer.json',
    recording: 'php-autoload-stale',
    exitCode: 255,
    command: ['php', 'job.php'],
    files: {
      'job.php': '<?php\n',
      'composer.json': COMPOSER_JSON,
      'composer.lock': '{"packages": []}\n',
      'vendor/autoload.php': '<?php\n',
      'jobs/Mailer.php': '<?php\nnamespace Shop\\Jobs;\n\nclass Mailer\n{\n}\n',
    },
    isFirstBoot: true,
    breaks: (world) => {
      world.remove('vendor/composer');
      world.write('../bin/composer', {
        text: "#!/bin/sh\nmkdir -p vendor/composer && echo 'Shop\\\\Jobs' > vendor/composer/autoload_psr4.php\n",
        mode: 0o755,
      });
    },
    isWell: 'grep -q Jobs vendor/composer/autoload_psr4.php',
    expects: {
      cause: "Shop\\Jobs\\Mailer is in jobs/Mailer.php, and Composer's map of classes does not know it yet",
      playbook: 'install_packages',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: "what is in Composer's map is not looked at before the start",
    },
  },
  {
    family: 'class_not_loaded',
    title: 'tells a person about a constant that Rails finds no file for',
    origin: 'Rails 6.1, an initializer that uses OrderMailer, which does not exist',
    recording: 'ruby-rails-constant',
    command: ['rails', 'server'],
    files: { 'config/initializers/mailer.rb': 'Rails.application.config.x.mailer = OrderMailer\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'OrderMailer is used, and no file defines it', person: 'its file has the name that the class has' },
  },
];
