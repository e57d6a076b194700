import { GraceError } from '../kernel/index.ts';

/** A release is not changed while the service runs with it. */
export class ReleaseInUse extends GraceError {
  /**
   * @param pid    of the Grace that looks after the service; null where an earlier one has left it running
   * @param again  the command that does it then
   */
  constructor(component: string, pid: number | null, again: string) {
    super({
      code: 'GRACE_RUNTIME_RELEASE_IN_USE',
      message: `${component} runs, and its release is not changed under it: nothing was changed`,
      hint: [
        'in this order:',
        ...(pid === null ? ['grace up', '(it takes the service over that an earlier Grace has left)', 'Ctrl-C'] : [`kill -TERM ${pid}`]),
        `(Grace stops the service, and ends; where a service manager runs it, stop it there)`,
        again,
        'grace up',
        '(it proves the release, or takes it back; start it the way it was started before)',
      ].join('\n  '),
      details: { component, pid },
    });
  }
}
