// A thread in which one description of an interface is parsed: a text that keeps its parser busy, or makes it eat memory, ends with it.
import { parentPort } from 'node:worker_threads';
import { readOpenApi } from '../../catalog/config-lint/openapi.ts';

// oxlint-disable-next-line require-post-message-target-origin -- a thread has no origin
parentPort?.once('message', (text: string) => parentPort?.postMessage(readOpenApi(text)));
