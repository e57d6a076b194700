import { join } from 'node:path';
import type { Check, CheckContext, Finding } from '../../domains/preflight/index.ts';
import { found, listed, shownPath } from './found.ts';
import { FUTURE_MS, YEAR_MAX, YEAR_MIN } from './machine-thresholds.ts';

/** Written by people and deployments, and so not later than now. */
const FILES = [
  'package.json',
  'package-lock.json',
  'requirements.txt',
  'pyproject.toml',
  'go.mod',
  'Gemfile.lock',
  'composer.lock',
  '.env',
];

/** A clock that nobody can have set on purpose, that nothing keeps right, or that files of the service are ahead of. */
export const machineClock: Check = {
  name: 'clock',
  title: 'clock',
  timeLimitMs: 6000,
  when: 'beside_start',
  isNeeded: async () => true,
  async run(context) {
    const nowMs = context.clock.nowMs();
    const year = new Date(nowMs).getUTCFullYear();
    const say = (severity: Finding['severity'], code: string, message: string, hint: string): readonly Finding[] => [
      found(context, { severity, code, component: 'grace', message, hint }),
    ];
    if (year < YEAR_MIN || year > YEAR_MAX)
      return say(
        'error',
        'clock_wrong',
        `the clock of this machine says ${new Date(nowMs).toISOString()}: certificates, tokens and stored times go wrong`,
        'set it: timedatectl set-ntp true, or date -s; look at the battery of the machine',
      );
    const early = await fromTheFuture(nowMs, context);
    if (early.length > 0)
      return say(
        'warn',
        'files_from_future',
        `${listed(early.map((path) => shownPath(context.projectDir, path)))}: changed later than now (${new Date(nowMs).toISOString()})`,
        'is the clock behind? then set it; otherwise: touch them, since builds and caches go by these times',
      );
    return (await context.machine.isClockKept()) === false
      ? say(
          'warn',
          'clock_not_kept',
          'nothing keeps the clock of this machine right',
          'timedatectl set-ntp true; tokens and certificates of other machines go by theirs',
        )
      : [];
  },
};

async function fromTheFuture(nowMs: number, { components, files }: CheckContext): Promise<readonly string[]> {
  const paths = new Set(components.flatMap((spec) => [...FILES.map((name) => join(spec.cwd, name)), ...spec.envFiles]));
  const early: string[] = [];
  for (const path of paths) {
    const stat = await files.stat(path);
    if (stat !== null && stat.kind === 'file' && stat.mtimeMs > nowMs + FUTURE_MS) early.push(path);
  }
  return early;
}
