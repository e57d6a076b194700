import { expect, test } from 'vitest';
import { machineTraits } from './machine-traits.ts';
import { processLimits } from './process-limits.ts';

test('the limits of this process, and none of one that is gone', () => {
  const limits = processLimits('self');
  expect(limits['open files']).toMatch(/^(?:\d+|unlimited)$/);
  expect(limits['stack size']).toMatch(/^(?:\d+|unlimited)$/);
  expect(Object.keys(processLimits(2 ** 22 + 1)).filter((name) => name === 'open files')).toEqual([]);
});

test('what the machine is, with the zone and locale that a service gets', () => {
  expect(machineTraits({ TZ: 'Asia/Tokyo', LANG: 'de_CH.UTF-8' })).toMatchObject({
    'time zone': 'Asia/Tokyo',
    locale: 'de_CH.UTF-8',
    umask: expect.stringMatching(/^0\d{3}$/),
    kernel: expect.stringMatching(/^\d/),
  });
  expect(machineTraits({})['time zone']).not.toBe('');
});
