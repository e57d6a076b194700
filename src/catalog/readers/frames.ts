import type { FactRuntime, Frame } from '../../domains/incidents/index.ts';
import { dotnetFrame } from './dotnet.ts';
import { goFrame } from './go.ts';
import { javaFrame } from './java.ts';
import { nodeFrame } from './node.ts';
import { phpFrame } from './php.ts';
import { pythonFrame } from './python.ts';
import { rubyFrame } from './ruby.ts';
import { installedPackage } from './installed-package.ts';
import { rustFrame } from './rust.ts';
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
  ['rust', rustFrame],
  ['dotnet', dotnetFrame],
];

/** Lines that stand between the frames of one stack. */
const BETWEEN: Partial<Record<FactRuntime, RegExp>> = {
  java: /^(?:Caused by: |\s{1,8}(?:\.\.\. \d{1,5} (?:more|common frames)|Suppressed: ))/,
  // The fields of an error, and the causes among them.
  node: /^(?:\s{2,16}\S|[}\]]|Emitted '|caused by: )/,
  python: /^\s{4,}/,
  php: /^Stack trace:$|^(?:PHP )?Fatal error: /,
  rust: /^(?:stack backtrace:|\s{1,6}\d{1,5}: |[^\s].{0,300}$)/,
  dotnet: /^\s{1,4}(?:--- End of |at |---> )/,
  go: /^(?:[\w./*()@$\-[\]{}…, +~]{1,300}\(.{0,300}\)$|created by |goroutine 1 |\[signal )/,
};

/** Others, such as Ruby, say the error on the line of its first frame. */
const ONLY_FRAMES: ReadonlySet<FactRuntime> = new Set(['java', 'node', 'python', 'go', 'dotnet']);

/** Where the stack of a cause begins within the stack of what it caused. */
const CAUSE: Partial<Record<FactRuntime, RegExp>> = {
  java: /^Caused by: /,
  node: /^\s{2,16}\[cause\]: |^caused by: |^\s{4,16}\w{0,60}Error(?: \[\w{1,60}\])?: /,
};

/** Where Node says that it threw: the place of an error whose own stack does not leave the runtime. */
const THROWN = /^(\/.{1,300}):(\d{1,7})$/;

/** What stands under one `Caused by:`, or `[cause]:`. */
interface Section {
  readonly from: number;
  readonly frames: Frame[];
}

interface Found {
  readonly runtime: FactRuntime;
  /** The first line of it, and the first one after it. */
  readonly from: number;
  readonly to: number;
  readonly sections: readonly Section[];
  /** The lines that are frames and nothing else. */
  readonly frameLines: readonly number[];
}

/** More stacks than this are a flood. */
const STACKS_MAX = 500;
/** A message is followed by its stack within so many lines, or follows it. */
const NEAR_LINES = 12;

/** Every stack of the output, in the order in which they were printed. */
export function stacksOf(lines: readonly TranscriptLine[]): readonly Found[] {
  const stacks: Found[] = [];
  for (let at = 0; at < lines.length && stacks.length < STACKS_MAX; at++) {
    const line = lines[at];
    if (!line || line.tone === 'quiet') continue;
    for (const [runtime, read] of READERS) {
      if (!read(line.text, lines[at - 1]?.text ?? '')) continue;
      const stack = stackFrom(lines, at, runtime, read);
      stacks.push(stack);
      at = stack.to - 1;
      break;
    }
  }
  return stacks;
}

function stackFrom(lines: readonly TranscriptLine[], from: number, runtime: FactRuntime, read: FrameReader): Found {
  let section: Section = { from: Math.max(0, from - 1), frames: [] };
  const sections = [section];
  const frameLines: number[] = [];
  let at = from;
  for (; at < lines.length; at++) {
    const line = lines[at];
    if (!line) break;
    const frame = read(line.text, lines[at - 1]?.text ?? '');
    if (frame) {
      // Ruby prints the cause like another error, directly below the stack of what it caused.
      if (runtime === 'ruby' && at > from && !line.text.startsWith(' ')) sections.push((section = { from: at, frames: [] }));
      section.frames.push(frame);
      if (ONLY_FRAMES.has(runtime)) frameLines.push(at);
    } else if (CAUSE[runtime]?.test(line.text)) sections.push((section = { from: at, frames: [] }));
    else if (section.frames.length === 0 && at - section.from <= NEAR_LINES && sections.length > 1) continue; // a message of several lines
    else if (line.tone !== 'echo' && !BETWEEN[runtime]?.test(line.text)) break;
  }
  // Python prints the innermost frame last.
  if (runtime === 'python') for (const one of sections) one.frames.reverse();
  const thrown = runtime === 'node' ? thrownAbove(lines, from) : null;
  if (thrown) sections[0]?.frames.push(thrown);
  return { runtime, from, to: Math.max(at, from + 1), sections, frameLines };
}

function thrownAbove(lines: readonly TranscriptLine[], from: number): Frame | null {
  // What does not parse was thrown by nobody: the place is the error's subject.
  if (lines[from - 1]?.text.startsWith('SyntaxError')) return null;
  for (let at = from - 1; at >= Math.max(0, from - 6); at--) {
    const [, path, line] = THROWN.exec(lines[at]?.text ?? '') ?? [];
    if (path === undefined) continue;
    const dependency = installedPackage(path);
    return { path, function: '', line: Number(line), inDependency: dependency !== null, package: dependency };
  }
  return null;
}

/** A crash prints so little after its stack: the runtime's version, the fields of the error, what a shell adds. */
const AFTER_CRASH_LINES = 24;

/** Between the tracebacks of one chain Python says what they have to do with each other. */
const BETWEEN_CAUSES_LINES = 8;

/** Where the last stack begins, or the first of the chain that ends with it, when the output ends with it. */
export function crashAtEnd(stacks: readonly Found[], length: number): number | null {
  let from: number | null = null;
  for (const stack of stacks.toReversed()) {
    if (from === null ? length - stack.to > AFTER_CRASH_LINES : from - stack.to > BETWEEN_CAUSES_LINES) break;
    from = stack.from;
  }
  return from;
}

/** Lines that name places in the code: they say nothing themselves. */
export function frameLines(stacks: readonly Found[]): ReadonlySet<number> {
  return new Set(stacks.flatMap((stack) => stack.frameLines));
}

/**
 * The stack that belongs to a line, innermost frame first: of a chain of causes the part of that line, then what it caused.
 * @param at   the line that said it; null takes the first stack from its deepest cause on
 */
export function stackAt(stacks: readonly Found[], at: number | null): Stack {
  const stack = (at === null ? undefined : nearest(stacks, at)) ?? stacks[0];
  if (!stack) return { frames: [], runtime: 'unknown' };
  const { sections } = stack;
  const inside =
    at === null || at < stack.from - NEAR_LINES || at >= stack.to ? sections.length - 1 : sections.findLastIndex((one) => one.from <= at);
  const deepest = Math.max(0, inside);
  const frames = [...sections.slice(0, deepest + 1).toReversed(), ...sections.slice(deepest + 1)].flatMap((one) => one.frames);
  return { frames: frames.slice(0, FRAMES_MAX), runtime: stack.runtime };
}

function nearest(stacks: readonly Found[], at: number): Found | undefined {
  return (
    stacks.find((one) => one.from <= at && at < one.to) ??
    stacks.find((one) =>
      one.runtime === 'python' ? at >= one.to && at - one.to < NEAR_LINES : one.from > at && one.from - at <= NEAR_LINES,
    )
  );
}
