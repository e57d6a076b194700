/** A CSV that cannot be read; the message says why. */
export class UnreadableCsv extends Error {}

/**
 * The fields of one column, in order. RFC 4180: fields in quotes may hold commas, line breaks and doubled quotes; LF or
 * CRLF; a byte order mark is passed over, as are empty lines. A row too short for the column has an empty field there.
 * @throws UnreadableCsv without a header that names the column, or when the text ends within quotes
 */
export function columnOf(text: string, column: string): readonly string[] {
  let at = -1;
  const fields: string[] = [];
  for (const row of rowsOf(text)) {
    if (at >= 0) fields.push(row[at] ?? '');
    else at = row.indexOf(column);
    if (at < 0) throw new UnreadableCsv(`has no column "${column}" in its first line`);
  }
  if (at < 0) throw new UnreadableCsv('is empty');
  return fields;
}

function* rowsOf(text: string): Generator<readonly string[]> {
  let row: string[] = [];
  let field = '';
  let from = text.startsWith('\uFEFF') ? 1 : 0;
  while (from < text.length) {
    if (field === '' && text[from] === '"') {
      const quoted = quotedAt(text, from + 1);
      field = quoted.text;
      from = quoted.end;
    }
    let end = from;
    while (end < text.length && text[end] !== ',' && text[end] !== '\n') end++;
    field += text.slice(from, text[end] === '\n' && text[end - 1] === '\r' && end > from ? end - 1 : end);
    row.push(field);
    field = '';
    from = end + 1;
    if (text[end] === ',' && from < text.length) continue;
    if (text[end] === ',') row.push('');
    if (row.length > 1 || row[0] !== '') yield row;
    row = [];
  }
}

function quotedAt(text: string, start: number): { readonly text: string; readonly end: number } {
  let quoted = '';
  for (let from = start; ;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) throw new UnreadableCsv('ends within quotes');
    quoted += text.slice(from, quote);
    if (text[quote + 1] !== '"') return { text: quoted, end: quote + 1 };
    quoted += '"';
    from = quote + 2;
  }
}
