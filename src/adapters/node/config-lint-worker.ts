// A thread in which texts are parsed: a text that keeps its parser busy, or makes it eat memory, ends with this thread.
import { parentPort } from 'node:worker_threads';
import { lintText } from '../../catalog/config-lint/lint-text.ts';
import type { ConfigText } from '../../domains/preflight/index.ts';

parentPort?.once('message', (texts: readonly ConfigText[]) => void answer(texts));

/** One answer for each text, as soon as it is there: the first that is missing is the one that ended this thread. */
async function answer(texts: readonly ConfigText[]): Promise<void> {
  for (const { format, text } of texts)
    // oxlint-disable-next-line require-post-message-target-origin -- a thread has no origin
    parentPort?.postMessage(await lintText(format, text).catch(() => null));
}
