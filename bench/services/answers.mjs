// Answers every request with its pid. `/block` blocks its event loop for good: a hang that only a probe can see.
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';

if (process.env.STARTS_FILE) appendFileSync(process.env.STARTS_FILE, `${process.pid}\n`);
createServer((request, response) => {
  response.end(String(process.pid));
  if (request.url === '/block')
    setTimeout(() => {
      for (;;);
    }, 5);
}).listen(Number(process.env.PORT), '127.0.0.1');
