import { dirname } from 'node:path';
import type { Check, CheckContext, Finding } from '../../domains/preflight/index.ts';
import { found, shownPath } from './found.ts';
import { dirsOf, type ServiceDir } from './service-dirs.ts';
import { serviceUser } from './service-user.ts';

const USES: Readonly<Record<ServiceDir['use'], string>> = {
  project: 'the folder of the service',
  data: 'a data directory',
  database: 'the directory of its database',
  log: 'the directory of its log',
  temporary: 'the directory for temporary files',
};

/**
 * Whether a service may write where it has to, as the user it runs as. Its own folder need not be writable. Grace opens the log
 * before the service starts, so that nothing starts without it; what the rest does to a service only the service knows.
 */
export const writableDirs: Check = {
  name: 'writable_dirs',
  title: 'directories to write in',
  timeLimitMs: 3000,
  when: 'beside_start',
  isNeeded: async ({ components }) => components.length > 0,
  async run(context) {
    const findings: Finding[] = [];
    for (const spec of context.components) {
      const user = serviceUser(spec.command);
      for (const dir of await dirsOf(spec, context)) {
        if (dir.use === 'project') continue;
        const finding = await look(dir, dir.use === 'log' ? null : user, context);
        if (finding !== null && !findings.some((one) => one.message === finding.message)) findings.push(finding);
      }
    }
    return findings;
  },
};

async function look(dir: ServiceDir, user: string | null, context: CheckContext): Promise<Finding | null> {
  const { path, use, component } = dir;
  const shown = shownPath(context.projectDir, path);
  const who = user === null ? 'its user' : `its user ${user}`;
  const say = (code: string, message: string, hint: string): Finding =>
    found(context, { severity: use === 'log' ? 'error' : 'warn', code, component, message, hint });
  const isThere = (await context.files.realpath(path)) !== null;
  if (!isThere && use === 'temporary')
    return say('tmp_not_writable', `${shown}, ${USES[use]}, is not there`, `mkdir -m 1777 ${shown}, or set TMPDIR to another`);
  const at = isThere ? path : await nearest(path, context);
  if ((await context.machine.mayWriteIn(at, user)) !== false) return null;
  const system = await context.machine.fileSystemOf(at);
  const why = system?.isReadOnly === true ? `${system.point} is mounted read-only` : `${who} has no right to write there`;
  const hint =
    system?.isReadOnly === true
      ? `mount ${system.point} read-write (read-only all of a sudden: look at dmesg, the disk may be failing)`
      : `chown or chmod ${isThere ? shown : shownPath(context.projectDir, at)} for ${who}`;
  return use === 'temporary'
    ? say('tmp_not_writable', `${shown}, ${USES[use]}, cannot be written in: ${why}`, hint)
    : say(
        'dir_not_writable',
        isThere
          ? `${shown}, ${USES[use]}, cannot be written in: ${why}`
          : `${shown}, ${USES[use]}, is not there, and cannot be made: ${why}`,
        hint,
      );
}

/** The directory in which a missing one would be made. */
async function nearest(path: string, { files }: CheckContext): Promise<string> {
  for (let at = dirname(path); ; at = dirname(at)) if (at === dirname(at) || (await files.realpath(at)) !== null) return at;
}
