// Appends to the log of a store until it is killed or has written enough, and says on its standard output what was acknowledged.
// usage: node appender.ts STORE WRITERS ENTRIES
import { writeSync } from 'node:fs';
import { openStore } from '../../index.ts';
import { openAuditLog } from '../index.ts';

const [path = '', writers = '1', entries = '1'] = process.argv.slice(2);
(await openStore(path)).close();
const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const log = await openAuditLog({ path, service: 'orders', clock, redact: (text) => text });
let left = Number(entries);

async function write(): Promise<void> {
  while (left-- > 0) {
    const { sequence } = await log.append({
      actor: 'grace',
      action: 'heal.step_applied',
      resource: 'svc/checkout',
      subsystem: 'healing',
      result: 'ok',
      payload: { pid: process.pid, left },
    });
    writeSync(1, `${sequence}\n`);
  }
}

await Promise.all(Array.from({ length: Number(writers) }, write));
await log.close();
