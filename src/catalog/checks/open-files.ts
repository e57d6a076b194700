import type { Check, CheckContext, Finding } from '../../domains/preflight/index.ts';
import { found } from './found.ts';
import { OPEN_FILES_LOW, OPEN_FILES_OF_ALL_LOW, OPEN_FILES_TO_START } from './machine-thresholds.ts';

/** How many files and sockets the service may have open: what it inherits, what the config gives it, what the machine has left. */
export const openFiles: Check = {
  name: 'open_files',
  title: 'limits of open files',
  timeLimitMs: 2000,
  when: 'beside_start',
  isNeeded: async ({ components }) => components.length > 0,
  async run(context) {
    const findings: Finding[] = [];
    const own = await context.machine.openFilesLimit();
    if (own !== null)
      for (const spec of context.components) {
        const given = spec.limits.openFiles;
        const say = saying(spec.name, context);
        if (given !== null && given > own.hard && !own.mayRaise)
          findings.push(
            say(
              'error',
              'open_files_not_allowed',
              `limits.openFiles is ${given}, and the hard limit that Grace runs with is ${own.hard}: it cannot be started so`,
              `raise LimitNOFILE of the unit (or ulimit -Hn) to ${given}, or lower limits.openFiles`,
            ),
          );
        else if ((given ?? own.soft) < OPEN_FILES_TO_START)
          findings.push(
            say(
              'error',
              'open_files_low',
              `it may open ${given ?? own.soft} files; a program needs more than that to load itself`,
              `set limits.openFiles to ${OPEN_FILES_LOW} or more`,
            ),
          );
        else if ((given ?? own.soft) < OPEN_FILES_LOW)
          findings.push(
            say(
              'warn',
              'open_files_low',
              `it may have ${given ?? own.soft} files and connections open at once`,
              `set limits.openFiles${own.hard >= OPEN_FILES_LOW || own.mayRaise ? '' : ', after LimitNOFILE of the unit,'} to what it needs, such as 65536`,
            ),
          );
      }
    const all = await context.machine.openFilesOfAll();
    if (all.left !== null && all.left < OPEN_FILES_OF_ALL_LOW)
      findings.push(
        saying('grace', context)(
          'warn',
          'open_files_of_all_low',
          `all programs of this machine together may open ${all.left} more files, of ${all.max ?? 0}`,
          'find who has so many open: lsof -n | cut -d" " -f1 | sort | uniq -c | sort -n | tail; or raise fs.file-max',
        ),
      );
    return findings;
  },
};

function saying(component: string, context: CheckContext) {
  return (severity: Finding['severity'], code: string, message: string, hint: string): Finding =>
    found(context, { severity, code, component, message, hint });
}
