import { text } from './answer.ts';
import { mistakeInCode } from './mistake-in-code.ts';
import { absolutePath, shownPath } from './places.ts';

/** A compiler that runs at the start (ts-node, tsx, `nest start`, `tsc && node …`) does not take the code. */
export const compileError = mistakeInCode({
  name: 'compile_error',
  title: 'the code does not compile',
  kind: 'compile_error',
  causeOf: (fact, c) => {
    const path = absolutePath(c.component, fact.subject);
    const line = text(fact, 'line');
    const where = path === null ? 'the code' : `${shownPath(c.component, path)}${line === '' ? '' : `:${line}`}`;
    return `${where} does not compile: ${text(fact, 'message')}${fact.code.startsWith('TS') ? ` (${fact.code})` : ''}`;
  },
  adviceOf: () => ['correct it, or deploy a release that was compiled before', 'see whether the installed types belong to this code'],
});
