import type { FactRuntime, Frame } from '../../domains/incidents/index.ts';
import { goFrame } from './go.ts';
import { javaFrame } from './java.ts';
import { nodeFrame } from './node.ts';
import { phpFrame } from './php.ts';
import { pythonFrame } from './python.ts';
import { rubyFrame } from './ruby.ts';
import type { TranscriptLine } from './transcript.ts';

export const FRAMES_MAX = 40;

export interface Stack {
  readonly frames: readonly Frame[];
  readonly runtime: FactRuntime;
}

type FrameReader = (text: string, previous: string) => Frame | null;

/** Java before Node: its frames are the stricter of the two forms that begin with `at`. */
const READERS: readonly (readonly [FactRuntime, FrameReader])[] = [
  ['java', javaFrame],
  ['node', nodeFrame],
  ['python', pythonFrame],
  ['go', goFrame],
  ['ruby', rubyFrame],
  ['php', phpFrame],
];

/** Lines that stand between the frames of one stack. */
const BETWEEN: Partial<Record<FactRuntime, RegExp>> = {
  java: /^(?:Caused by: |\s{1,8}(?:\.\.\. \d{1,5} (?:more|common frames)|Suppressed: ))/,
  python: /^\s{4,}/,
  php: /^Stack trace:$|^(?:PHP )?Fatal error: /,
  go: /^(?:[\w./*()@$\-[\]{}…, +~]{1,300}\(.{0,300}\)$|created by |goroutine 1 |\[signal )/,
};

/** The first stack of the output, innermost frame first. */
export function firstStack(lines: readonly TranscriptLine[]): Stack {
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at];
    if (!line || line.tone === 'quiet') continue;
    for (const [runtime, read] of READERS) {
      if (read(line.text, lines[at - 1]?.text ?? '')) return { frames: framesFrom(lines, at, runtime, read), runtime };
    }
  }
  return { frames: [], runtime: 'unknown' };
}

function framesFrom(lines: readonly TranscriptLine[], from: number, runtime: FactRuntime, read: FrameReader): readonly Frame[] {
  // A section is what stands under one `Caused by:`.
  const sections: Frame[][] = [[]];
  for (let at = from; at < lines.length; at++) {
    const line = lines[at];
    if (!line) break;
    const frame = read(line.text, lines[at - 1]?.text ?? '');
    if (frame) sections.at(-1)?.push(frame);
    else if (line.text.startsWith('Caused by: ') && runtime === 'java') sections.push([]);
    else if (line.tone !== 'echo' && !BETWEEN[runtime]?.test(line.text)) break;
  }
  // Python prints the innermost frame last, Java the deepest cause last.
  const frames = runtime === 'python' ? sections.flat().toReversed() : sections.toReversed().flat();
  return frames.slice(0, FRAMES_MAX);
}
