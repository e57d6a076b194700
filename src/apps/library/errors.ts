import { GraceError } from '../../kernel/index.ts';

/** What was given cannot be recorded. */
export class InputInvalid extends GraceError {
  constructor(what: string, hint: string) {
    super({ code: 'GRACE_LIBRARY_INPUT_INVALID', message: what, hint });
  }
}

export class IncidentUnknown extends GraceError {
  constructor(incident: string) {
    super({
      code: 'GRACE_LIBRARY_INCIDENT_UNKNOWN',
      message: `there is no incident "${incident}" in this memory, or no failure of it is kept`,
      hint: 'patterns() lists the known ones; recordFailure() opens them',
      details: { incident },
    });
  }
}

/** Nobody but a person, or time, can help. */
export class NoRemedy extends GraceError {
  constructor(incident: string, cause: string, advice: readonly string[]) {
    super({
      code: 'GRACE_LIBRARY_NO_REMEDY',
      message: `no playbook mends ${incident}: ${cause}`,
      hint: advice[0] ?? 'write one by hand: docs/guide/playbooks.md',
      details: { incident, cause, advice },
    });
  }
}

export class MemoryClosed extends GraceError {
  constructor() {
    super({ code: 'GRACE_LIBRARY_MEMORY_CLOSED', message: 'this memory was closed', hint: 'open another one with openMemory()' });
  }
}
