/** A request that cannot be answered as asked; becomes an `application/problem+json` body (RFC 9457). */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly mistakes: readonly string[] | undefined;

  constructor(
    status: number,
    title: string,
    detail: string,
    more: { headers?: Readonly<Record<string, string>>; mistakes?: readonly string[] } = {},
  ) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.title = title;
    this.headers = more.headers ?? {};
    this.mistakes = more.mistakes;
  }

  toBody(requestId: string) {
    const { status, title, message: detail, mistakes } = this;
    return { type: 'about:blank', title, status, detail, requestId, ...(mistakes && { mistakes }) };
  }
}

/** SQLite's code for "another connection holds the lock", after the busy timeout has passed. */
const sqliteBusy = 5;

/** What a client may learn of an error: its own mistakes in full, ours only by name. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) {
    return new Problem(503, 'Database busy', 'the database is busy, try again', { headers: { 'retry-after': '1' } });
  }
  return new Problem(500, 'Internal error', 'the request failed; the log has the reason under this request id');
}
