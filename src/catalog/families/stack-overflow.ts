import { mistakeInCode } from './mistake-in-code.ts';
import { shownPath } from './places.ts';

/** A function calls itself without an end. A larger stack only makes it take longer. */
export const stackOverflow = mistakeInCode({
  name: 'stack_overflow',
  title: 'the code calls itself without an end',
  kind: 'stack_overflow',
  causeOf: (_, c) => {
    const frame = c.failure.frames.find((f) => !f.inDependency) ?? c.failure.frames[0];
    const where = frame === undefined ? 'a function' : `${frame.function || 'a function'} in ${shownPath(c.component, frame.path)}`;
    return `${where} calls itself until the stack is full`;
  },
  adviceOf: () => ['see what should end it: often data that refers to itself, or a setting that includes itself'],
});
