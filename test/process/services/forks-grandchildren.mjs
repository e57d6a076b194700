// Starts a child that starts a grandchild, each in a session of its own and deaf to SIGTERM. Both outlive their parent.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';

const generation = Number(process.argv[2] ?? 0);
if (generation < 2) {
  spawn(process.execPath, [import.meta.filename, String(generation + 1)], { detached: true, stdio: 'ignore' }).unref();
}
if (generation === 0) createServer((_request, response) => response.end('ok')).listen(Number(process.env.PORT), '127.0.0.1');
else {
  process.on('SIGTERM', () => undefined);
  setInterval(() => undefined, 60_000);
}
