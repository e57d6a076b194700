import { text } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** Its memory limit or its disk alarm: it reads, and takes nothing new. Nothing is thrown away to make room. */
export const serverFull = familyForPeople({
  name: 'server_full',
  title: 'a server has no room for more',
  kinds: ['server_full'],
  causeOf: (fact) =>
    `${fact.subject || 'a server'} takes nothing new: its ${text(fact, 'resource') === 'disk' ? 'disk is full, or nearly' : 'memory limit is reached'}`,
  adviceOf: () => [
    'see what fills it: queues without a consumer, keys without an end',
    'give it more room, or raise its limit (maxmemory, vm_memory_high_watermark, disk_free_limit)',
  ],
});
