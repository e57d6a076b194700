import { expect, test } from 'vitest';
import { mountsAround, parseMounts, pickMounts } from './mounts.ts';

const MOUNTINFO = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
30 22 8:2 / /srv rw,relatime - ext4 /dev/sda2 ro
31 30 0:40 / /srv/app/my\\040media rw,nosuid master:2 - nfs nas:/media rw
32 22 0:41 / /srvother ro - tmpfs tmpfs rw
33 30 0:42 / /srv/app/data rw - tmpfs first rw
34 33 0:43 / /srv/app/data ro - tmpfs second rw
broken line
`;

test('the mount that holds a directory, and those below it', () => {
  expect(pickMounts(parseMounts(MOUNTINFO), ['/srv/app'])).toEqual([
    { point: '/srv/app/my media', device: 'nas:/media', type: 'nfs', isReadOnly: false },
    { point: '/srv/app/data', device: 'second', type: 'tmpfs', isReadOnly: true },
    { point: '/srv', device: '/dev/sda2', type: 'ext4', isReadOnly: true },
  ]);
});

test('read-only is also what the file system made of itself', () => {
  expect(parseMounts(MOUNTINFO).map((m) => m.isReadOnly)).toEqual([false, true, false, true, false, true]);
});

test('this machine has one for every directory', () => {
  expect(mountsAround(['/usr']).some((m) => '/usr'.startsWith(m.point === '/' ? '/' : m.point))).toBe(true);
});
