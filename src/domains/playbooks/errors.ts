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

/** The process of a playbook was ended, or ended by itself, before the run was over. */
export class PlaybookCutOff extends GraceError {
  constructor(playbook: string, problem: string, details: JsonObject = {}) {
    super({
      code: 'GRACE_PLAYBOOKS_CUT_OFF',
      message: `${playbook}: ${problem}`,
      hint: 'a playbook only asks for steps with ctx.step: see its limits in docs/guide/playbooks.md',
      details: { playbook, ...details },
    });
  }
}

/** The version control of the project would not do it, or not without force. */
export class WorkTreeStuck extends GraceError {
  constructor(root: string, problem: string) {
    super({
      code: 'GRACE_PLAYBOOKS_WORK_TREE_STUCK',
      message: `${root} stays at its commit: ${problem}`,
      hint: `look at it by hand: git -C ${root} status`,
      details: { root },
    });
  }
}
