// Answers, and starts a process that outlives it unless somebody ends it: in its own group (`plain`), or in a session of
// its own with its parent gone (`session`).
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';

const child =
  process.env.CHILD_KIND === 'session'
    ? spawn('sh', ['-c', 'setsid sleep 600 >/dev/null 2>&1 &'], { stdio: 'ignore', detached: true })
    : spawn('sleep', ['600'], { stdio: 'ignore' });
child.unref();
createServer((request, response) => {
  response.end(String(process.pid));
  if (request.url === '/block')
    setTimeout(() => {
      for (;;);
    }, 5);
}).listen(Number(process.env.PORT), '127.0.0.1');
