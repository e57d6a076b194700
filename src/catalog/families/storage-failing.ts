import { LIKELY } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** A failing disk, or a network file system whose server went away. Nothing is written to it, and nothing repaired. */
export const storageFailing = familyForPeople({
  name: 'storage_failing',
  title: 'the disk does not answer any more',
  kinds: ['storage_failing'],
  confidence: LIKELY,
  causeOf: (fact) =>
    `${fact.subject || 'the storage'} cannot be read or written any more (${fact.code}): the disk is failing, or its network file system is gone`,
  adviceOf: () => ['see the kernel log (dmesg), and save what can still be read', 'mount a network file system that went away again'],
});
