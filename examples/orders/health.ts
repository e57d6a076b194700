import { get } from 'node:http';

export type Health =
  | { readonly state: 'alive'; readonly pid: number }
  | { readonly state: 'absent'; readonly reason: string }
  /** Something has the port, and it is not this API or it is sick. */
  | { readonly state: 'strange'; readonly reason: string };

const timeoutMs = 2_000;

/** Asks whoever has the port whether it is this API, and alive. Never rejects. */
export async function getHealth(host: string, port: number): Promise<Health> {
  return await new Promise((resolve) => {
    const request = get({ host, port, path: '/health', agent: false, timeout: timeoutMs }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', (error) => resolve({ state: 'strange', reason: error.message }));
      response.on('end', () => resolve(readHealth(response.statusCode, text)));
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.on('error', (error: NodeJS.ErrnoException) => {
      // A name with several addresses fails with one error per address and no message of its own.
      const reason = error instanceof AggregateError ? error.errors.map(String).join('; ') : error.message;
      resolve({ state: error.code === 'ECONNREFUSED' ? 'absent' : 'strange', reason });
    });
  });
}

function readHealth(status: number | undefined, text: string): Health {
  try {
    const { status: word, pid } = JSON.parse(text) as { status?: unknown; pid?: unknown };
    if (status === 200 && word === 'ok' && typeof pid === 'number') return { state: 'alive', pid };
  } catch {
    // Not JSON, hence not this API; said below.
  }
  return { state: 'strange', reason: `unexpected answer of status ${status} to GET /health` };
}
