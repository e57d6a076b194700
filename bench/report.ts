/** Upper bound that a figure is held against. */
export interface Bound {
  readonly text: string;
  readonly most: number;
}

/** One line of the result: what Grace reaches, what a bare start and the peer reach, and what it is held against. */
export interface Row {
  readonly what: string;
  readonly unit: 'ms' | 'MiB' | '%' | 'intervals' | '';
  /** Samples; empty when it is not built yet. */
  readonly grace: readonly number[];
  readonly bare?: readonly number[];
  /** Samples, or a word such as "never". */
  readonly peer?: readonly number[] | string;
  /** What physics or Node allow. */
  readonly limit?: string;
  /** The best that was shown to be possible. */
  readonly target?: Bound;
  /** What a release must reach, where the target is further away. */
  readonly must?: Bound;
  readonly note?: string;
}

export interface FigureResult {
  readonly figure: string;
  /** Commit that was measured. */
  readonly revision: string;
  /** ISO time of its beginning. */
  readonly at: string;
  readonly runs: number;
  /** What others used of the CPUs, in percent. */
  readonly busyBefore: number;
  readonly busyAfter: number;
  readonly rows: readonly Row[];
}

export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Bare start's median times this much. */
export function timesBare(bare: readonly number[], factor: number): Bound {
  return { text: `≤ ${factor} × bare`, most: median(bare) * factor };
}

function amount(value: number, unit: Row['unit']): string {
  const digits = unit === '%' ? 2 : unit === 'MiB' || unit === 'intervals' ? 1 : 0;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function spread(samples: readonly number[] | string | undefined, unit: Row['unit']): string {
  if (samples === undefined) return '';
  if (typeof samples === 'string') return samples;
  if (samples.length === 0) return 'not built yet';
  const text = `${amount(median(samples), unit)} ${unit}`.trim();
  const [least, most] = [amount(Math.min(...samples), unit), amount(Math.max(...samples), unit)];
  return least === most ? text : `${text} (${least}–${most})`;
}

function verdict(row: Row, bound: Bound | undefined): string {
  if (bound === undefined) return '';
  if (row.grace.length === 0) return `${bound.text}: not built yet`;
  return `${bound.text}: ${median(row.grace) <= bound.most ? 'pass' : '**miss**'}`;
}

function ratio(row: Row): string {
  return row.bare === undefined || row.bare.length === 0 || row.grace.length === 0
    ? ''
    : `${(median(row.grace) / median(row.bare)).toFixed(2)} ×`;
}

/** A table that is read in a terminal and in a README alike. */
export function table(results: readonly FigureResult[], peerName: string): string {
  const head = ['figure', 'Grace: median (min–max)', '÷ bare', 'bare start', peerName, 'limit', 'target', 'must'];
  const rows = results.flatMap(({ rows }) =>
    rows.map((row) => [
      row.what,
      spread(row.grace, row.unit),
      ratio(row),
      spread(row.bare, row.unit),
      spread(row.peer, row.unit),
      row.limit ?? '',
      verdict(row, row.target),
      verdict(row, row.must),
    ]),
  );
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const notes = results.flatMap((r) => r.rows).flatMap(({ what, note }) => (note === undefined ? [] : [`- ${what}: ${note}`]));
  return [line(head), `| ${widths.map((w) => '-'.repeat(w)).join(' | ')} |`, ...rows.map(line), '', ...notes].join('\n');
}
