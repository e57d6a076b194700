import { GraceError, type JsonObject } from '../../kernel/index.ts';

export class PrimitiveMisuse extends GraceError {
  constructor(primitive: string, problem: string, details: JsonObject = {}) {
    super({
      code: 'GRACE_PLAYBOOKS_PRIMITIVE_MISUSE',
      message: `${primitive}: ${problem}`,
      hint: 'correct the parameters of this step in the playbook',
      details: { primitive, ...details },
    });
  }
}

export class PlaybookInvalid extends GraceError {
  constructor(file: string, problem: string, cause?: unknown) {
    super({
      code: 'GRACE_PLAYBOOKS_INVALID',
      message: `${file}: ${problem}`,
      hint: 'correct the file, or move it out of playbooks/: Grace goes on without it',
      details: { file },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
