import type { Check, Finding } from '../../domains/preflight/index.ts';
import { expectedProgram, isStaleLock, lockPid } from '../families/lock-owner.ts';
import { leftOvers } from '../families/stale-lock.ts';
import { found, shownPath } from './found.ts';

/**
 * Pid and lock files that name a process which is gone, or another program by now. Many services take such a file over by
 * themselves, so this only warns; one that does not is healed when it has said so.
 */
export const leftOverLocks: Check = {
  name: 'left_over_locks',
  title: 'left-over pid and lock files',
  timeLimitMs: 3000,
  when: 'beside_start',
  isNeeded: async ({ components }) => components.length > 0,
  async run(context) {
    const findings: Finding[] = [];
    const seen = new Set<string>();
    for (const spec of context.components)
      for (const path of await leftOvers(context, spec)) {
        if (seen.has(path) || context.ownDirs.some((dir) => path.startsWith(`${dir}/`))) continue;
        seen.add(path);
        const pid = await lockPid(context.files, path);
        if (pid === null || !(await isStaleLock(context.machine, pid, expectedProgram(path, spec), spec))) continue;
        const process = await context.machine.process(pid);
        const now = process === null || /^[ZX]/i.test(process.state) ? 'which is gone' : `which is ${process.command.slice(0, 80)} now`;
        findings.push(
          found(context, {
            severity: 'warn',
            code: 'lock_left_over',
            component: spec.name,
            file: path,
            message: `names process ${pid}, ${now}`,
            hint: `if ${spec.name} refuses to start because of it, move ${shownPath(context.projectDir, path)} aside; Grace does so where it may`,
          }),
        );
      }
    return findings;
  },
};
