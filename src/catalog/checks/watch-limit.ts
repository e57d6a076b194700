import type { Check, CheckContext } from '../../domains/preflight/index.ts';
import { found } from './found.ts';
import { WATCH_INSTANCES_LOW, WATCHES_LOW } from './machine-thresholds.ts';

/** Programs that watch a whole project; they fail, or stop seeing changes, when the kernel has no watch left for them. */
const WATCHING =
  /(?:^|[\s/])(?:nodemon|ts-node-dev|tsnd|chokidar|webpack-dev-server|vite|nuxt|remix|astro|parcel|watchman|watchexec|entr|air|cargo-watch)(?:$|\s)|(?:^|\s)(?:--watch(?:=\S{0,200})?|--reload|runserver)(?:$|\s)|(?:^|[\s/])(?:tsx|next|nest|ng|webpack|vitest|jest|tsc)\s(?:.{0,80}\s)?(?:watch|dev|serve|--watch|start:dev)(?:$|\s)/;
const COMMAND_CHARS_MAX = 2000;

/** How many files may be watched, where a component is started with a watcher. */
export const watchLimit: Check = {
  name: 'watch_limit',
  title: 'limit of watched files',
  timeLimitMs: 2000,
  when: 'beside_start',
  isNeeded: async (context) => watching(context).length > 0,
  async run(context) {
    const limits = await context.machine.watchLimits();
    if (limits === null) return [];
    const { watches, instances } = limits;
    if (watches >= WATCHES_LOW && instances >= WATCH_INSTANCES_LOW) return [];
    return watching(context).map((component) =>
      found(context, {
        severity: 'warn',
        code: 'watches_low',
        component,
        message:
          watches < WATCHES_LOW
            ? `it watches files, and one user may watch ${watches} of them at once`
            : `it watches files, and one user may have ${instances} watchers at once`,
        hint:
          watches < WATCHES_LOW
            ? 'sysctl fs.inotify.max_user_watches=524288, and write it to /etc/sysctl.d/'
            : 'sysctl fs.inotify.max_user_instances=1024, and write it to /etc/sysctl.d/',
      }),
    );
  },
};

function watching({ components }: CheckContext): readonly string[] {
  return components.filter(({ command }) => WATCHING.test(command.join(' ').slice(0, COMMAND_CHARS_MAX))).map(({ name }) => name);
}
