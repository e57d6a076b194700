import { GraceError } from '../../kernel/index.ts';

/** A merge or split that says nothing, or contradicts what was decided before. */
export class GroupingRefused extends GraceError {
  constructor(message: string, hint: string) {
    super({ code: 'GRACE_INCIDENTS_GROUPING_REFUSED', message, ...(hint === '' ? {} : { hint }) });
  }
}
