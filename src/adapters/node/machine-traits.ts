import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { arch, hostname, platform, release, userInfo } from 'node:os';

/** What of the machine and of whoever started Grace can make a service behave differently. */
export function machineTraits(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return {
    grace_node: process.version,
    platform: `${platform()} ${arch()}`,
    kernel: release(),
    system: systemName(),
    'host name': hostname(),
    user: user(),
    umask: /^Umask:\s+(\d+)/m.exec(read('/proc/self/status'))?.[1] ?? '',
    'time zone': env['TZ'] || systemZone(),
    locale: env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '',
    // Written by systemd's own client alone; where another keeps the time, nothing is known.
    ...(existsSync('/run/systemd/timesync')
      ? { clock: existsSync('/run/systemd/timesync/synchronized') ? 'synchronised' : 'not synchronised' }
      : {}),
  };
}

function systemName(): string {
  return /^PRETTY_NAME="?([^"\n]{0,100})/m.exec(read('/etc/os-release'))?.[1] ?? '';
}

/** Of the system, whatever the environment of Grace says. */
function systemZone(): string {
  try {
    const link = readlinkSync('/etc/localtime');
    const at = link.indexOf('/zoneinfo/');
    if (at >= 0) return link.slice(at + '/zoneinfo/'.length);
  } catch {
    // a copy instead of a link, or none
  }
  return read('/etc/timezone').trim() || Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function user(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`; // a container's user may be in no list of users
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
