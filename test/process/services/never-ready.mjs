// Lives and listens, and its readiness says no for ever.
import { createServer } from 'node:http';

createServer((request, response) => {
  response.statusCode = request.url === '/ready' ? 503 : 200;
  response.end(request.url === '/ready' ? 'warming up' : 'ok');
}).listen(Number(process.env.PORT), '127.0.0.1');
