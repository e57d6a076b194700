import { relative } from 'node:path';
import type { CheckContext, Finding, FindingPlace } from '../../domains/preflight/index.ts';

/** What a check sees, with its place in front of the message: a terminal makes it a link. */
export function found(
  context: Pick<CheckContext, 'projectDir'>,
  seen: Pick<Finding, 'severity' | 'code' | 'component' | 'message' | 'hint'> & {
    readonly file?: string;
    readonly line?: number;
    readonly column?: number;
  },
): Finding {
  const { severity, code, component, message, hint, file, line, column } = seen;
  if (file === undefined) return { severity, code, component, message, hint, evidence: [], fix: null };
  const place: FindingPlace = { file, line: line ?? null, column: column ?? null };
  const shown = [shownPath(context.projectDir, file), line, column].filter((part) => part !== undefined).join(':');
  return { severity, code, component, message: `${shown} ${message}`, hint, evidence: [], fix: null, place };
}

/** As a person in the project would write it. */
export function shownPath(projectDir: string, file: string): string {
  const inside = relative(projectDir, file);
  return inside === '' || inside.startsWith('..') ? file : inside;
}

/** `A, B and 3 more`. */
export function listed(names: readonly string[], shown = 8): string {
  return names.length <= shown ? names.join(', ') : `${names.slice(0, shown).join(', ')} and ${names.length - shown} more`;
}
