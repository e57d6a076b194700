import { SURE } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** Says ENOSPC or EMFILE, and neither the disk nor its open files are used up: inotify is. */
export const fileWatchLimit = familyForPeople({
  name: 'file_watch_limit',
  title: 'the limit of file watches is reached',
  kinds: ['watch_limit'],
  confidence: SURE,
  causeOf: () => 'the limit of file watches is reached, and no disk is full',
  adviceOf: (_, c) => [
    'raise fs.inotify.max_user_watches and fs.inotify.max_user_instances',
    `have ${c.component.name} watch fewer files: not node_modules, not its data`,
  ],
});
