// Needs a file "go" before it listens; says so, and is patient.
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';

console.log('waiting for the file "go"');
const timer = setInterval(() => {
  if (!existsSync('go')) return;
  clearInterval(timer);
  createServer((_request, response) => response.end('ok')).listen(Number(process.env.PORT), '127.0.0.1');
}, 20);
