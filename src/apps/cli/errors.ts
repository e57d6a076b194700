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

export class PlaybookFileGone extends GraceError {
  constructor(name: string, file: string) {
    super({
      code: 'GRACE_CLI_PLAYBOOK_FILE_GONE',
      message: `playbook ${name} cannot be enabled: its file ${file} is gone`,
      hint: 'bring the file back, for example from version control; or let Grace write it again when the failure returns',
      details: { name, file },
    });
  }
}

/** `grace init` writes a config once and leaves it to its owner from then on. */
export class ConfigExists extends GraceError {
  constructor(file: string) {
    super({
      code: 'GRACE_CLI_CONFIG_EXISTS',
      message: `there is a config already: ${file}`,
      hint: 'see what would be written with: grace init --stdout',
      details: { file },
    });
  }
}

export class NothingToRun extends GraceError {
  constructor(directory: string) {
    super({
      code: 'GRACE_CLI_NOTHING_TO_RUN',
      message: `nothing to run was found in ${directory}: no start script, no Procfile`,
      hint: 'give the command: grace init -- node server.js',
      details: { directory },
    });
  }
}

/** Something would be changed, and nobody is there to be asked. */
export class ConfirmationNeeded extends GraceError {
  constructor(command: string) {
    super({
      code: 'GRACE_CLI_CONFIRMATION_NEEDED',
      message: 'this changes files or databases, and there is no terminal to ask at',
      hint: `see what it would do with: ${command} --dry-run; then say --yes`,
      details: { command },
    });
  }
}

/** A decision cannot be explained without knowing how risky the playbook is. */
export class PolicyCaseUnknown extends GraceError {
  constructor(playbook: string) {
    super({
      code: 'GRACE_CLI_POLICY_CASE_UNKNOWN',
      message: playbook === '' ? 'no playbook was named' : `there is no playbook "${playbook}" here`,
      hint: 'name one of grace playbooks list, or say how it would be with both --risk and --tier',
      details: { playbook },
    });
  }
}

/** Only a Grace that runs can do it. */
export class NoGraceRuns extends GraceError {
  constructor(dataDir: string, what: string) {
    super({
      code: 'GRACE_CLI_NO_GRACE_RUNS',
      message: `no Grace runs here that could ${what} (looked in ${dataDir})`,
      hint: 'start it with grace up; is one running elsewhere, say where its data is with --data-dir',
      details: { dataDir },
    });
  }
}

/** Policies decided against what a person asked for, or want another person to agree first. */
export class ActionRefused extends GraceError {
  constructor(what: string, reason: string, hint: string, approval: string | null = null) {
    super({ code: 'GRACE_CLI_ACTION_REFUSED', message: `${what} is not done: ${reason}`, hint, details: { what, approval } });
  }
}

/** No audit log was found, or named. */
export class AuditLogNotHere extends GraceError {
  /** @param path   of the store that is not there */
  constructor(path: string) {
    super({
      code: 'GRACE_CLI_AUDIT_LOG_NOT_HERE',
      message: `there is no audit log here: ${path} does not exist`,
      hint: 'go to the folder of the service or name its data with --data-dir DIR; an exported log with --dir DIR',
      details: { path },
    });
  }
}

/** The store, or a file of an exported log, that this user may not read, or that the disk does not give. */
export class AuditLogUnreadable extends GraceError {
  constructor(where: string, problem: string) {
    super({
      code: 'GRACE_CLI_AUDIT_LOG_UNREADABLE',
      message: `the audit log in ${where} can not be read: ${problem}`,
      hint: 'run it as the user Grace runs as, or as one who may read all of that directory; with EIO see what the kernel says: dmesg',
      details: { where },
    });
  }
}

/** What changes the log needs a user who may write it. */
export class AuditReadOnly extends GraceError {
  constructor(path: string) {
    super({
      code: 'GRACE_CLI_AUDIT_READ_ONLY',
      message: `this user may not write ${path}: the audit log stays as it is`,
      hint: 'run it as the user Grace runs as; to list, verify, export and prove, reading is enough',
      details: { path },
    });
  }
}

/** Nothing says which key the log is signed with. */
export class AuditKeyUnknown extends GraceError {
  constructor() {
    super({
      code: 'GRACE_CLI_AUDIT_KEY_UNKNOWN',
      message: 'nothing says which key the audit log is signed with',
      hint: 'name it with --vkey KEY, or with --vkey FILE',
    });
  }
}

/** A checkpoint or key that was named on the command line. */
export class AuditFileUnreadable extends GraceError {
  constructor(path: string, problem: string) {
    super({
      code: 'GRACE_CLI_AUDIT_FILE_UNREADABLE',
      message: `${path} can not be read: ${problem}`,
      hint: 'name a file with a checkpoint, or with a key',
      details: { path },
    });
  }
}

/** A proof needs a signed checkpoint to lead to. */
export class AuditCheckpointMissing extends GraceError {
  /**
   * @param size   null for any
   * @param near   sizes of checkpoints that are kept, on both sides of it
   * @param exported   the directory of an exported log
   */
  constructor(size: number | null, near: readonly number[] = [], exported: string | null = null) {
    super({
      code: 'GRACE_CLI_AUDIT_CHECKPOINT_MISSING',
      message: size === null ? 'the audit log has no signed checkpoint yet' : `no signed checkpoint of ${size} entries is kept`,
      hint:
        size === null
          ? exported === null
            ? 'it gets one with its first entry'
            : `the file checkpoint is not in ${exported}: the export was cut off; take a fresh one`
          : `leave the second size out to prove up to the newest checkpoint${near.length === 0 ? '' : `, or take the nearest that is kept: ${near.join(' or ')}`}`,
      details: { size, near },
    });
  }
}

/** A proof or checkpoint that would not hold: it is not handed out. */
export class AuditProofRefused extends GraceError {
  constructor(problem: string) {
    super({
      code: 'GRACE_CLI_AUDIT_PROOF_REFUSED',
      message: `nothing is handed out that would not hold: ${problem}`,
      hint: 'see what is wrong with the log: grace audit verify',
    });
  }
}

/** The value of an option is none that it can have. */
export class OptionWrong extends GraceError {
  constructor(option: string, problem: string, hint: string) {
    super({ code: 'GRACE_CLI_OPTION_WRONG', message: `${option}: ${problem}`, hint, details: { option } });
  }
}
