// Writes a line for each start to the file of its first argument, and crashes.
import { appendFileSync } from 'node:fs';

appendFileSync(process.argv[2] ?? 'starts.txt', `${process.pid}\n`);
throw new Error('the flux capacitor has no flux');
