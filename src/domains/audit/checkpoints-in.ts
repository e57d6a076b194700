import { parseCheckpoint } from './checkpoint.ts';
import { parseNote } from './signed-note.ts';

/** A signature line of a signed note begins so. @see https://c2sp.org/signed-note */
const SIGNATURE = '\u2014 ';

/**
 * The signed checkpoints in a text: a checkpoint by itself, a file to which many were appended, a note of git, a boot report for
 * people, or one as JSON (`audit.checkpoint`). What is in none of these shapes is not found.
 * @returns each as it was signed, in the order in which they stand there
 */
export function checkpointsIn(text: string): readonly string[] {
  const given = text.trimStart().startsWith('{') ? ofReport(text) : text;
  const lines = given.replaceAll('\r\n', '\n').split('\n');
  const found: string[] = [];
  // A checkpoint: three lines (and extensions, if any) before an empty one, then its signatures.
  for (let at = 1; at < lines.length; at++) {
    if (lines[at - 1] !== '' || !(lines[at] ?? '').startsWith(SIGNATURE)) continue;
    let start = at - 1;
    while (start > 0 && lines[start - 1] !== '') start--;
    let end = at;
    while ((lines[end] ?? '').startsWith(SIGNATURE)) end++;
    const note = `${lines.slice(start, end).join('\n')}\n`;
    if (isCheckpoint(note)) found.push(note);
    at = end;
  }
  return found;
}

function ofReport(text: string): string {
  try {
    const { audit } = JSON.parse(text) as { readonly audit?: { readonly checkpoint?: unknown } };
    return typeof audit?.checkpoint === 'string' ? audit.checkpoint : '';
  } catch {
    return text; // no JSON after all
  }
}

function isCheckpoint(note: string): boolean {
  try {
    parseCheckpoint(parseNote(note).text);
    return true;
  } catch {
    return false;
  }
}
