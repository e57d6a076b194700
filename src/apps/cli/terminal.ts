import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Colours only where a person sees them. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

export function out(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function err(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Rows as aligned columns; the last one may be of any width. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, visibleLength(cell))));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat((widths[i] ?? 0) - visibleLength(cell))))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Breaks text at spaces. */
export function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && visibleLength(line) + visibleLength(word) + 1 > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.join(`\n${indent}`);
}

export function visibleLength(text: string): number {
  // oxlint-disable-next-line no-control-regex -- colours take no room on the screen
  return text.replace(/\u001B\[[0-9;]*m/g, '').length;
}

/** Whether the terminal says that it shows more than ASCII. */
export function isUtf8(environment: Readonly<Record<string, string | undefined>>): boolean {
  return /utf-?8/i.test(environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || '');
}

export function columns(): number {
  return Math.min(process.stdout.columns || 100, 140);
}

/** A table whose last column is cut off where the screen ends, so that rows stay rows; whole where no person looks. */
export function fitted(rows: readonly (readonly string[])[]): string {
  if (!process.stdout.isTTY) return table(rows);
  const width = process.stdout.columns || 100; // 0 where the terminal does not know
  return table(rows)
    .split('\n')
    .map((line) => (visibleLength(line) <= width ? line : cut(line, width)))
    .join('\n');
}

/** Cuts a line with colours in it at a visible width. */
function cut(line: string, width: number): string {
  let visible = 0;
  let result = '';
  // oxlint-disable-next-line no-control-regex -- colours take no room on the screen
  for (const part of line.split(/(\u001B\[[0-9;]*m)/)) {
    if (part.startsWith('\u001B[')) result += part;
    else if (visible < width) {
      const room = width - visible;
      result += part.length > room ? `${part.slice(0, room - 1)}…` : part;
      visible += part.length;
    }
  }
  return result;
}
