import { GraceError } from '../../kernel/index.ts';

export class NoSuchPlaybook extends GraceError {
  constructor(message: string, hint: string) {
    super({ code: 'GRACE_AUTHORING_NO_SUCH_PLAYBOOK', message, hint });
  }
}

export class NoSuchComponent extends GraceError {
  constructor(name: string, known: readonly string[]) {
    super({
      code: 'GRACE_AUTHORING_NO_SUCH_COMPONENT',
      message: `the configuration has no component "${name}"`,
      hint: `it has: ${known.join(', ')}; name one with --component`,
      details: { name, known },
    });
  }
}

/** A Grace is healing this very component, or may begin any moment. */
export class ComponentBusy extends GraceError {
  constructor(component: string, what: string) {
    super({
      code: 'GRACE_AUTHORING_COMPONENT_BUSY',
      message: `${component} is in the hands of Grace now: ${what}`,
      hint: 'wait until it is over (grace status says so), or stop that Grace first; see what would be done with --dry-run',
      details: { component },
    });
  }
}

/** A new playbook, or its recorded failure, would be written over a file that is there. */
export class FileExists extends GraceError {
  constructor(file: string) {
    super({
      code: 'GRACE_AUTHORING_FILE_EXISTS',
      message: `there is a file already: ${file}`,
      hint: 'take another name, or remove the file yourself: nothing is written over',
      details: { file },
    });
  }
}

/** The file that says how the world differed when a playbook's failure happened. */
export class RecordedFailureInvalid extends GraceError {
  constructor(file: string, problem: string) {
    super({
      code: 'GRACE_AUTHORING_RECORDED_FAILURE_INVALID',
      message: `${file}: ${problem}`,
      hint: 'correct it: docs/guide/playbooks.md says what it holds',
      details: { file },
    });
  }
}

export class NoSuchIncident extends GraceError {
  constructor(subject: string) {
    super({
      code: 'GRACE_AUTHORING_NO_SUCH_INCIDENT',
      message: `there is no incident and no signature "${subject.slice(0, 80)}" here, or no failure of it is kept`,
      hint: 'see the known ones with: grace incidents',
      details: {},
    });
  }
}
