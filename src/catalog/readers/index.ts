// Readers: what programs say when they fail, turned into facts. One file per program or language, one rule per sentence.
// A transcript takes lines out of JSON and tells errors from chatter; the first rule that understands a line has it;
// what no rule understands but is an uncaught error becomes an `exception`.
import type { Fact, FactReader, FactRuntime } from '../../domains/incidents/index.ts';
import { certificates } from './certificates.ts';
import { commandLine } from './command-line.ts';
import { configFiles } from './config-files.ts';
import { environment } from './environment.ts';
import { firstStack } from './frames.ts';
import { generic } from './generic.ts';
import { go } from './go.ts';
import { headlineOf } from './headline.ts';
import { hinted, HintIndex, type HintedRule } from './hints.ts';
import { httpAnswers } from './http-answers.ts';
import { java } from './java.ts';
import { libraryCredentials } from './library-credentials.ts';
import { mysql } from './mysql.ts';
import { nativeModules } from './native-modules.ts';
import { nginx } from './nginx.ts';
import { nodeDatabases } from './node-databases.ts';
import { nodeFrameworks } from './node-frameworks.ts';
import { nodeModules } from './node-modules.ts';
import { nodePackages } from './node-packages.ts';
import { node } from './node.ts';
import { postgres } from './postgres.ts';
import { python } from './python.ts';
import { redis } from './redis.ts';
import { ruby } from './ruby.ts';
import type { Draft, Place, Reader } from './rule.ts';
import { runtimeLimits } from './runtime-limits.ts';
import { settings } from './settings.ts';
import { shell } from './shell.ts';
import { sqlite } from './sqlite.ts';
import { typescript } from './typescript.ts';
import { transcriptOf, type TranscriptLine } from './transcript.ts';

interface PreparedReader {
  readonly runtime: FactRuntime;
  readonly rules: readonly HintedRule[];
  readonly exceptions: readonly HintedRule[];
}

/** Programs before languages, languages before what all of them say: the most specific understanding wins. */
const READERS = [
  certificates,
  nativeModules,
  postgres,
  sqlite,
  redis,
  nginx,
  mysql,
  // the Node world
  typescript,
  nodeModules,
  nodeFrameworks,
  nodePackages,
  nodeDatabases,
  libraryCredentials,
  settings,
  runtimeLimits,
  commandLine,
  node,
  python,
  go,
  java,
  ruby,
  shell,
  configFiles,
  environment,
  httpAnswers,
  generic,
].map(prepared);

const EXCEPTIONS = READERS.filter((reader) => reader.exceptions.length > 0);

/** More than anyone reads; a flood of different errors is one failure. */
const FACTS_MAX = 64;

interface Understood {
  readonly fact: Fact;
  readonly at: number;
  readonly isWarning: boolean;
}

export const readFacts: FactReader = (lines) => {
  const transcript = transcriptOf(lines);
  const stack = firstStack(transcript);
  const index = new HintIndex();
  const understood: Understood[] = [];
  for (let at = 0; at < transcript.length && understood.length < FACTS_MAX; at++) {
    const line = transcript[at];
    if (!line || line.tone === 'quiet' || line.tone === 'echo') continue;
    index.enter(line.text);
    for (const [draft, runtime] of understand({ lines: transcript, at }, index, stack.runtime)) {
      const saidAt = Math.max(0, at - (draft.linesAbove ?? 0));
      understood.push({ fact: factOf(draft, runtime, transcript[saidAt] ?? line, lines), at: saidAt, isWarning: line.tone === 'warning' });
    }
  }
  const kept = withoutRepeats(believed(understood, transcript));
  const facts = kept.map((one) => one.fact);
  const firstAt = kept.find((one) => !one.isWarning)?.at ?? null;
  return {
    facts,
    frames: stack.frames,
    headline: headlineOf(transcript, firstAt),
    runtime: stack.runtime !== 'unknown' ? stack.runtime : (facts.find((fact) => fact.runtime !== 'unknown')?.runtime ?? 'unknown'),
  };
};

function prepared(reader: Reader): PreparedReader {
  return { runtime: reader.runtime, rules: hinted(reader.rules), exceptions: hinted(reader.exceptions ?? []) };
}

function understand(place: Place, index: HintIndex, stackRuntime: FactRuntime): readonly (readonly [Draft, FactRuntime])[] {
  for (const reader of READERS) {
    const drafts = firstUnderstanding(reader.rules, place, index);
    if (drafts)
      return drafts.map((draft) => [draft, draft.runtime ?? (reader.runtime === 'unknown' ? stackRuntime : reader.runtime)] as const);
  }
  // `Error: …` is said by several languages: the one whose stack was printed is asked first.
  for (const reader of [...EXCEPTIONS.filter((one) => one.runtime === stackRuntime), ...EXCEPTIONS]) {
    const drafts = firstUnderstanding(reader.exceptions, place, index);
    if (drafts) return drafts.map((draft) => [draft, draft.runtime ?? reader.runtime] as const);
  }
  return [];
}

function firstUnderstanding(rules: readonly HintedRule[], place: Place, index: HintIndex): readonly Draft[] | null {
  const text = place.lines[place.at]?.text ?? '';
  for (const candidate of rules) {
    if (!index.isHinted(candidate)) continue;
    const found = candidate.rule.pattern.exec(text);
    const read = found && candidate.rule.read(found, place);
    if (!read) continue;
    return 'kind' in read ? [read] : read;
  }
  return null;
}

function factOf(draft: Draft, runtime: FactRuntime, line: TranscriptLine, lines: readonly string[]): Fact {
  return {
    kind: draft.kind,
    runtime,
    code: draft.code ?? '',
    subject: draft.subject ?? '',
    details: draft.details ?? {},
    line: lines[line.index] ?? line.text,
    lineIndex: line.index,
  };
}

/** Warnings count only when the program went on to fail and gave no better reason. */
function believed(understood: readonly Understood[], transcript: readonly TranscriptLine[]): readonly Understood[] {
  const strong = understood.filter((one) => !one.isWarning);
  if (strong.some((one) => one.fact.kind !== 'exception')) return strong;
  const failedAt = strong.at(-1)?.at ?? transcript.findLastIndex((line) => line.tone === 'error');
  return understood.filter((one) => !one.isWarning || one.at < failedAt);
}

/** The same thing said twice is one fact; one that names its object replaces one that does not. */
function withoutRepeats(understood: readonly Understood[]): readonly Understood[] {
  const seen = new Set<string>();
  return understood.filter(({ fact }) => {
    const key = `${fact.kind}\n${fact.subject}\n${fact.code}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return !understood.some((other) => other.fact !== fact && saysMore(other.fact, fact));
  });
}

function saysMore(other: Fact, fact: Fact): boolean {
  if (other.kind !== fact.kind || fact.kind === 'exception') return false;
  if (fact.subject === '' && other.subject !== '') return true;
  return other.subject === fact.subject && fact.code === '' && other.code !== '';
}
