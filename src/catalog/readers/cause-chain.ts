import type { TranscriptLine } from './transcript.ts';

const NODE_CAUSE = /^( {2,16})\[cause\]: /;
/** Ruby prints the cause below the stack of what it caused, like another error. */
const RUBY_ERROR = /^[^\s:][^:]{0,300}:\d{1,7}:in [`'][^']{1,200}': .{0,400}\([A-Z][\w:]{1,120}\)$/;
const RUBY_FRAME = /^\s{1,12}(?:\d{1,4}: )?from /;
/** What may stand between two causes of one chain. */
const WITHIN = /^\s/;

/** For each line that tells a cause of the error above it: how many errors stand above it in the chain. */
export function causeDepths(lines: readonly TranscriptLine[]): ReadonlyMap<number, number> {
  const depths = new Map<number, number>();
  let depth = 0;
  for (let at = 0; at < lines.length; at++) {
    const text = lines[at]?.text ?? '';
    if (text.startsWith('Caused by: ') || text.startsWith('caused by: ')) depths.set(at, ++depth);
    else if (text.includes('[cause]: ')) {
      // Node indents each cause by two more.
      const indent = NODE_CAUSE.exec(text)?.[1]?.length ?? 0;
      if (indent > 0) depths.set(at, (depth = indent / 2));
    } else if (text.endsWith(')') && RUBY_ERROR.test(text)) {
      depth = at > 0 && RUBY_FRAME.test(lines[at - 1]?.text ?? '') ? depth + 1 : 0;
      if (depth > 0) depths.set(at, depth);
    } else if (!WITHIN.test(text)) depth = 0;
  }
  return depths;
}
