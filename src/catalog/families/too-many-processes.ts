import { familyForPeople } from './for-people.ts';

/** The limit of processes of the user, of the container, or of the machine. Raising it is for whoever set it. */
export const tooManyProcesses = familyForPeople({
  name: 'too_many_processes',
  title: 'no further process or thread may be started',
  kinds: ['process_limit'],
  causeOf: (_, c) => `${c.component.name} may not start another process or thread: the limit of processes is reached`,
  adviceOf: () => [
    'see who holds them: ps -eLf, and whether it leaks threads',
    'raise the limit where it was set: ulimit -u, TasksMax of the unit, pids of the container',
  ],
});
