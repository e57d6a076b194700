import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'env_changed',
    title: 'puts back JVM options that somebody mistyped',
    origin: 'OpenJDK 17: JAVA_TOOL_OPTIONS in .env was edited to -Xmx512mb',
    recording: 'java-tool-options',
    command: ['java', '-jar', 'shop.jar'],
    files: { '.env': 'JAVA_TOOL_OPTIONS=-Xmx512m\n' },
    breaks: (world) => world.write('.env', 'JAVA_TOOL_OPTIONS=-Xmx512mb\n'),
    isWell: 'test "$JAVA_TOOL_OPTIONS" = -Xmx512m',
    expects: {
      cause: 'JAVA_TOOL_OPTIONS in .env has another value',
      playbook: 'restore_java_tool_options',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: 'a value that changed may be the new right one',
    },
  },
  {
    family: 'env_changed',
    title: 'puts back a time zone that does not exist',
    origin: 'OpenJDK 17: TZ_OF_SHOP in .env was edited',
    recording: 'java-zone',
    command: ['java', '-jar', 'shop.jar'],
    files: { '.env': 'SHOP_ZONE=Europe/Kiev\n' },
    breaks: (world) => world.write('.env', 'SHOP_ZONE=Europe/Kyjiv\n'),
    isWell: 'test "$SHOP_ZONE" = Europe/Kiev',
    expects: {
      cause: 'SHOP_ZONE in .env has another value',
      playbook: 'restore_shop_zone',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: 'a value that changed may be the new right one',
    },
  },
];
