// Answers until the file "hang" appears; then its event loop stands still, once: the file is taken away before.
import { existsSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';

createServer((_request, response) => response.end(`ok ${process.pid}`)).listen(Number(process.env.PORT), '127.0.0.1');
setInterval(() => {
  if (!existsSync('hang')) return;
  rmSync('hang');
  for (;;);
}, 20);
