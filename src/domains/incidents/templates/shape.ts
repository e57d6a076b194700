/**
 * A line without the values of its numbers: every run of digits becomes `0`, every hexadecimal number as a whole.
 * Lines that differ only in numbers have one shape, so the work on a line is done once per shape, and how large a number
 * is never decides which template a line belongs to. Linear, one pass: this is all that most lines ever cost.
 */
export function shapeOf(line: string): string {
  const length = line.length;
  let shape = '';
  let copied = 0;
  let at = 0;
  while (at < length) {
    if (classAt(line, at) === OTHER) {
      at++;
      continue;
    }
    const start = at;
    let hasDigit = false;
    let hasLetterBeyondF = false;
    for (; at < length; at++) {
      const kind = classAt(line, at);
      if (kind === OTHER) break;
      if (kind === DIGIT) hasDigit = true;
      else if (kind === LETTER) hasLetterBeyondF = true;
    }
    if (hasDigit ? isHexNumber(line, start, at, hasLetterBeyondF) : !hasLetterBeyondF && at - start >= HEX_LETTERS_MIN) {
      shape += `${line.slice(copied, start)}0`;
      copied = at;
    } else if (hasDigit) {
      for (let i = start; i < at; i++) {
        if (classAt(line, i) !== DIGIT) continue;
        shape += `${line.slice(copied, i)}0`;
        while (i + 1 < at && classAt(line, i + 1) === DIGIT) i++;
        copied = i + 1;
      }
    }
  }
  return copied === 0 ? line : shape + line.slice(copied);
}

/** So many letters from a to f without a digit are a number too (`ffffffff`); no common word is that long. */
const HEX_LETTERS_MIN = 8;
/** At most this long, letters and then digits are rather the name of a device (`fd0`, `eda2`) than a hexadecimal number. */
const DEVICE_CHARS_MAX = 5;

const OTHER = 0;
const LETTER = 1;
const HEX_LETTER = 2;
const DIGIT = 3;

const CLASSES = new Uint8Array(128);
for (let code = 0x61; code <= 0x7a; code++) {
  const kind = code <= 0x66 ? HEX_LETTER : LETTER;
  CLASSES[code] = kind;
  CLASSES[code - 0x20] = kind;
}
for (let code = 0x30; code <= 0x39; code++) CLASSES[code] = DIGIT;

function classAt(line: string, at: number): number {
  const code = line.charCodeAt(at);
  return code < 128 ? (CLASSES[code] ?? OTHER) : OTHER;
}

/** Whether the run of letters and digits is one number: `0x7fed`, `9f3c`; not `fd0`, not `task12`. */
function isHexNumber(line: string, start: number, end: number, hasLetterBeyondF: boolean): boolean {
  if (!hasLetterBeyondF) return end - start > DEVICE_CHARS_MAX || !isDeviceName(line, start, end);
  if (end - start < 3 || line[start] !== '0' || (line[start + 1] !== 'x' && line[start + 1] !== 'X')) return false;
  for (let i = start + 2; i < end; i++) if (classAt(line, i) === LETTER) return false;
  return true;
}

function isDeviceName(line: string, start: number, end: number): boolean {
  let letters = start;
  while (letters < end && classAt(line, letters) === HEX_LETTER) letters++;
  if (letters - start < 2) return false;
  for (let i = letters; i < end; i++) if (classAt(line, i) !== DIGIT) return false;
  return letters < end;
}
