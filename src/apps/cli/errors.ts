import { GraceError } from '../../kernel/index.ts';

/** There is no store, or nothing has booted with it. */
export class NothingBootedYet extends GraceError {
  constructor(dataDir: string) {
    super({
      code: 'GRACE_CLI_NOTHING_BOOTED_YET',
      message: `no boots yet here (looked in ${dataDir})`,
      hint: 'run grace up first, or say where its data is with --data-dir',
      details: { dataDir },
    });
  }
}

/** A boot, incident, playbook or approval that the store does not know. */
export class NotKnown extends GraceError {
  constructor(kind: string, name: string, hint: string) {
    super({ code: 'GRACE_CLI_NOT_KNOWN', message: `there is no ${kind} "${name}" here`, hint, details: { kind, name } });
  }
}
