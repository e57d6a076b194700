import type { Specimen } from '../specimen.ts';

const NO_GUARD = 'the variable stays set: it cannot get lost again';

export const specimens: readonly Specimen[] = [
  {
    family: 'import_path',
    title: 'lets Python look into src, where the package lies',
    origin: 'Python 3.11 (python3 -m shop.server) in a project with its code in src/, without PYTHONPATH',
    recording: 'py-src-layout',
    command: ['python3', '-m', 'shop.server'],
    files: { 'src/shop/__init__.py': '', 'src/shop/server.py': 'print(1)\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'test "$PYTHONPATH" = src',
    expects: {
      cause: 'shop is in src, and PYTHONPATH does not name src',
      playbook: 'add_src_to_pythonpath',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: NO_GUARD,
    },
  },
  {
    family: 'import_path',
    title: 'lets Ruby look into lib, where the file lies',
    origin: "Ruby 3.1, require 'shop/orders' with lib/shop/orders.rb, without RUBYLIB",
    recording: 'ruby-load-path',
    command: ['ruby', 'lp.rb'],
    files: { 'lp.rb': "require 'shop/orders'\n", 'lib/shop/orders.rb': 'puts 1\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'test "$RUBYLIB" = lib',
    expects: { cause: 'shop/orders is in lib', playbook: 'add_lib_to_rubylib', risk: 'medium', tier: 'tier_2', noGuard: NO_GUARD },
  },
];
