import { text } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** Says that no space is left on the device, and no disk is full: /dev/shm or the kernel's semaphores are. */
export const sharedMemoryFull = familyForPeople({
  name: 'shared_memory_full',
  title: 'there is no shared memory left',
  kinds: ['shared_memory_full'],
  causeOf: (fact, c) =>
    text(fact, 'object') === 'semaphores'
      ? `the kernel has no semaphores left for ${c.component.name}`
      : `/dev/shm is too small for ${c.component.name}`,
  adviceOf: (fact) => [
    text(fact, 'object') === 'semaphores'
      ? 'remove what dead programs left (ipcs -s), or raise kernel.sem'
      : 'make it larger: --shm-size of the container, or the size of the tmpfs at /dev/shm',
    'have it use less shared memory',
  ],
});
