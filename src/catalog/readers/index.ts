// Readers: what programs say when they fail, turned into facts. One file per program or language, one rule per sentence.
// A transcript takes lines out of JSON and tells errors from chatter; the first rule that understands a line has it;
// what no rule understands but is an uncaught error becomes an `exception`.
import { principalFact, type Fact, type FactReader, type FactRuntime } from '../../domains/incidents/index.ts';
import { brokers } from './brokers.ts';
import { causeDepths } from './cause-chain.ts';
import { certificates } from './certificates.ts';
import { commandLine } from './command-line.ts';
import { configFiles } from './config-files.ts';
import { databases } from './databases.ts';
import { dotnet } from './dotnet.ts';
import { errnoIn } from './errno.ts';
import { environment } from './environment.ts';
import { crashAtEnd, frameLines, stackAt, stacksOf } from './frames.ts';
import { fileAndLine } from './file-and-line.ts';
import { generic } from './generic.ts';
import { go } from './go.ts';
import { headlineOf, lastWordsOf } from './headline.ts';
import { HintIndex } from './hints.ts';
import { httpAnswers } from './http-answers.ts';
import { java } from './java.ts';
import { legacyCrypto } from './legacy-crypto.ts';
import { libraryCredentials } from './library-credentials.ts';
import { mongodb } from './mongodb.ts';
import { mysql } from './mysql.ts';
import { nativeModules } from './native-modules.ts';
import { nginx } from './nginx.ts';
import { nodeDatabases } from './node-databases.ts';
import { nodeFrameworks } from './node-frameworks.ts';
import { nodeModules } from './node-modules.ts';
import { nodePackages } from './node-packages.ts';
import { node } from './node.ts';
import { php } from './php.ts';
import { operatingSystem } from './operating-system.ts';
import { postgres } from './postgres.ts';
import { python } from './python.ts';
import { rabbitmq } from './rabbitmq.ts';
import { redis } from './redis.ts';
import { ruby } from './ruby.ts';
import { rust } from './rust.ts';
import type { Draft, Place, Reader, Rule } from './rule.ts';
import { secrets } from './secrets.ts';
import { settings } from './settings.ts';
import { shell } from './shell.ts';
import { sqlite } from './sqlite.ts';
import { typescript } from './typescript.ts';
import { transcriptOf, type TranscriptLine } from './transcript.ts';

/** Programs before languages, languages before what all of them say: the most specific understanding wins. */
const READERS: readonly Reader[] = [
  secrets,
  certificates,
  nativeModules,
  operatingSystem,
  databases,
  postgres,
  sqlite,
  redis,
  nginx,
  mysql,
  mongodb,
  rabbitmq,
  brokers,
  // the Node world
  typescript,
  nodeModules,
  nodeFrameworks,
  nodePackages,
  nodeDatabases,
  libraryCredentials,
  settings,
  legacyCrypto,
  commandLine,
  node,
  php,
  python,
  go,
  java,
  dotnet,
  rust,
  ruby,
  shell,
  configFiles,
  fileAndLine,
  environment,
  httpAnswers,
  generic,
];

/** All rules in the order in which they are asked, and whose they are. */
const RULES = flat((reader) => reader.rules);
/** Uncaught errors: asked only when no rule understood the line. */
const EXCEPTIONS = flat((reader) => reader.exceptions ?? []);

/** Every word that some rule waits for: hostile text is made of these. */
export const HINTS: readonly string[] = [...new Set([...RULES.rules, ...EXCEPTIONS.rules].flatMap((rule) => rule.hints))];

interface OwnedRules {
  readonly rules: readonly Rule[];
  readonly runtimes: readonly FactRuntime[];
  readonly index: HintIndex;
}

/** More than anyone reads; a flood of different errors is one failure. */
const FACTS_MAX = 64;
/** What a line says the ninth time it has said before, whatever stands beside it. */
const REPEATS_MAX = 8;

interface Understood {
  readonly fact: Fact;
  readonly at: number;
  readonly isWarning: boolean;
}

/** What one output gives to all of its lines. */
interface Reading {
  readonly lines: readonly string[];
  readonly transcript: readonly TranscriptLine[];
  readonly speaker: FactRuntime;
  readonly depths: ReadonlyMap<number, number>;
  readonly inFrames: ReadonlySet<number>;
  readonly saidOften: Map<string, number>;
}

/**
 * What was said longer before a crash is another story, unless nothing was said since: a service that runs for weeks has met
 * and survived many errors.
 */
const RECENT_LINES = 200;

export const readFacts: FactReader = (lines) => {
  const transcript = transcriptOf(lines);
  const stacks = stacksOf(transcript);
  const speaker = stackAt(stacks, null).runtime;
  const reading: Reading = {
    lines,
    transcript,
    speaker,
    depths: causeDepths(transcript),
    inFrames: frameLines(stacks),
    saidOften: new Map(),
  };
  const recentFrom = Math.max(0, (crashAtEnd(stacks, transcript.length) ?? 0) - RECENT_LINES);
  const recent = understoodIn(reading, recentFrom, transcript.length);
  const understood = recent.some((one) => !one.isWarning) ? recent : [...understoodIn(reading, 0, recentFrom), ...recent];
  const kept = withoutRepeats(believed(understood, transcript));
  const facts = kept.map((one) => one.fact);
  const firstAt = kept.find((one) => !one.isWarning)?.at ?? null;
  const principal = principalFact(facts);
  const stack = stackAt(stacks, kept.find((one) => one.fact === principal)?.at ?? null);
  return {
    facts,
    frames: stack.frames,
    headline: headlineOf(transcript, firstAt),
    lastWords: lastWordsOf(transcript),
    runtime: stack.runtime !== 'unknown' ? stack.runtime : (facts.find((fact) => fact.runtime !== 'unknown')?.runtime ?? 'unknown'),
  };
};

function understoodIn(reading: Reading, from: number, to: number): readonly Understood[] {
  const { lines, transcript, speaker, depths, inFrames, saidOften } = reading;
  const understood: Understood[] = [];
  for (let at = from; at < to && understood.length < FACTS_MAX; at++) {
    const line = transcript[at];
    if (!line || line.tone === 'quiet' || line.tone === 'echo' || inFrames.has(at)) continue;
    const repeats = (saidOften.get(line.text) ?? 0) + 1;
    saidOften.set(line.text, repeats);
    if (repeats > REPEATS_MAX) continue;
    for (const [draft, runtime] of understand({ lines: transcript, at }, speaker)) {
      const saidAt = Math.max(0, at - (draft.linesAbove ?? 0));
      const fact = factOf(draft, runtime, transcript[saidAt] ?? line, lines, depths.get(saidAt) ?? 0);
      // A service that cannot decrypt its data goes on and only warns: and loses it when it saves.
      const isWarning = line.tone === 'warning' && draft.kind !== 'secret_mismatch';
      understood.push({ fact, at: saidAt, isWarning });
    }
  }
  return understood;
}

function flat(rulesOf: (reader: Reader) => readonly Rule[]): OwnedRules {
  const rules = READERS.flatMap(rulesOf);
  return { rules, runtimes: READERS.flatMap((reader) => rulesOf(reader).map(() => reader.runtime)), index: new HintIndex(rules) };
}

function understand(place: Place, speaker: FactRuntime): readonly (readonly [Draft, FactRuntime])[] {
  const text = place.lines[place.at]?.text ?? '';
  for (const rule of RULES.index.rulesFor(text)) {
    const drafts = draftsOf(RULES.rules[rule], text, place);
    if (!drafts) continue;
    const runtime = RULES.runtimes[rule] ?? 'unknown';
    return drafts.map((draft) => [draft, draft.runtime ?? (runtime === 'unknown' ? speaker : runtime)] as const);
  }
  // `Error: …` is said by several languages: the one whose stack was printed is asked first.
  const asked = EXCEPTIONS.index.rulesFor(text);
  for (const isSpeaker of [true, false]) {
    for (const rule of asked) {
      const runtime = EXCEPTIONS.runtimes[rule] ?? 'unknown';
      if ((runtime === speaker) !== isSpeaker) continue;
      const drafts = draftsOf(EXCEPTIONS.rules[rule], text, place);
      if (drafts) return drafts.map((draft) => [draft, draft.runtime ?? runtime] as const);
    }
  }
  return [];
}

/** Null when the rule does not understand the line. */
function draftsOf(rule: Rule | undefined, text: string, place: Place): readonly Draft[] | null {
  const found = rule?.pattern.exec(text);
  const read = found && rule?.read(found, place);
  if (!read) return null;
  return 'kind' in read ? [read] : read;
}

function factOf(draft: Draft, runtime: FactRuntime, line: TranscriptLine, lines: readonly string[], depth: number): Fact {
  const whole = lines[line.index] ?? line.text;
  const said = draft.said ?? (line.text === whole ? undefined : line.text);
  const deep = draft.depth ?? depth;
  return {
    kind: draft.kind,
    runtime,
    code: draft.code ?? '',
    subject: draft.subject ?? '',
    details: draft.kind === 'exception' ? withErrno(draft) : (draft.details ?? {}),
    line: whole,
    lineIndex: line.index,
    ...(said === undefined ? {} : { said }),
    ...(deep === 0 ? {} : { depth: deep }),
  };
}

/** What the operating system refused, where nobody knows the sentence but everybody the number. */
function withErrno(draft: Draft): Fact['details'] {
  const errno = errnoIn(String(draft.details?.['message'] ?? ''));
  return errno === '' ? (draft.details ?? {}) : { ...draft.details, errno };
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
