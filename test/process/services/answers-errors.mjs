// Answers well until the file "break" appears; then with errors, and says why, until it is started again.
import { existsSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';

let isBroken = false;
let count = 0;
createServer((_request, response) => {
  if (existsSync('break')) {
    rmSync('break');
    isBroken = true;
  }
  if (isBroken) {
    console.error(`${new Date().toISOString()} ERROR order ${++count} failed: connection to the queue was closed`);
    response.statusCode = 500;
  }
  response.end(`ok ${process.pid}`);
}).listen(Number(process.env.PORT), '127.0.0.1');
