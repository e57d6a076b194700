import { chmodSync } from 'node:fs';
import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'permission_denied',
    title: 'gives the log directory of a PHP application its mode back, and no more',
    origin: 'PHP 8.2, fopen("storage/logs/app.log", "a") as a user who may not write there',
    recording: 'php-permission',
    command: ['php', 'app.php'],
    files: { 'app.php': '', 'storage/logs': { directory: true } },
    prepares: (world) => chmodSync(world.path('storage/logs'), 0o770),
    breaks: (world) => chmodSync(world.path('storage/logs'), 0o500),
    isWell: 'test "$(stat -c %a storage/logs)" = 770',
    expects: {
      cause: 'storage/logs has mode 500 instead of 770',
      playbook: 'restore_permissions_storage_logs',
      risk: 'medium',
      tier: 'tier_2',
    },
  },
  {
    family: 'permission_denied',
    title: 'gives a start script back that it may be run',
    origin: 'dash, a script without the mode x',
    recording: 'sh-permission',
    exitCode: 126,
    command: ['sh', '-c', './noexec.sh'],
    files: { 'noexec.sh': { text: '#!/bin/sh\n', mode: 0o755 } },
    breaks: (world) => chmodSync(world.path('noexec.sh'), 0o644),
    isWell: 'test -x noexec.sh',
    expects: {
      cause: 'noexec.sh has mode 644 instead of 755',
      playbook: 'restore_permissions_noexec_sh',
      risk: 'medium',
      tier: 'tier_2',
    },
  },
  {
    family: 'permission_denied',
    title: 'opens nothing that lies outside of the project',
    origin: 'Python 3.11, open("/var/lib/shop/data.db") without the right to',
    recording: 'py-permission',
    command: ['python3', 'perm.py'],
    files: { 'perm.py': '' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'outside of what belongs to it', person: 'access to /var/lib/shop/data.db' },
  },
];
