import { logRecord } from './structured-log.ts';
import { toneOf, type Tone } from './tone.ts';

/** One line as a person would read it: taken out of JSON, and knowing how it was said. */
export interface TranscriptLine {
  readonly text: string;
  /** Its line in the output; several lines of a transcript can come from one JSON record. */
  readonly index: number;
  readonly tone: Tone;
}

const ONLY_CARETS = /^[\s|]{0,400}[~^]{1,400}[\s~^]{0,400}$/;
const NODE_PLACE = /^(?:file:\/\/\/|\/|node:|[A-Z]:\\|<anonymous_script>).{0,400}:\d{1,7}$/;
const PYTHON_PLACE = /^ {2,8}(?:\| {1,4})?File "[^"]{1,400}", line \d{1,7}/;
const NODE_ERROR = /^(?:Uncaught )?\[?[A-Z]\w{0,60}(?:Error|Exception)?(?: \[\w{1,60}\])?: /;

export function transcriptOf(lines: readonly string[]): TranscriptLine[] {
  const transcript: TranscriptLine[] = [];
  lines.forEach((line, index) => {
    const record = logRecord(line);
    if (!record) return transcript.push({ text: line, index, tone: toneOf(line) });
    for (const text of record.texts) {
      const tone = record.tone === 'plain' ? toneOf(text) : record.tone === 'error' ? errorTone(text) : record.tone;
      transcript.push({ text, index, tone });
    }
  });
  return markEchoes(transcript);
}

/** Even a logger's errors are only warnings when they say that another attempt follows. */
function errorTone(text: string): Tone {
  return toneOf(text) === 'warning' ? 'warning' : 'error';
}

/** Source code that is shown with an error: Node and Python put it below a place, carets stand under it. */
function markEchoes(lines: TranscriptLine[]): TranscriptLine[] {
  const echo = (at: number): void => {
    const line = lines[at];
    if (line) lines[at] = { ...line, tone: 'echo' };
  };
  for (let at = 0; at < lines.length; at++) {
    const text = lines[at]?.text ?? '';
    const next = lines[at + 1]?.text ?? '';
    if (ONLY_CARETS.test(text)) {
      echo(at);
      if (at > 0 && !NODE_ERROR.test(lines[at - 1]?.text ?? '')) echo(at - 1);
    } else if (NODE_PLACE.test(text)) {
      echo(at);
      if (!NODE_ERROR.test(next) || next.startsWith(' ')) echo(at + 1);
    } else if (PYTHON_PLACE.test(text)) {
      if (next.startsWith('    ') && !PYTHON_PLACE.test(next)) echo(at + 1);
    }
  }
  return lines;
}
