// Nothing is wrong with it.
import { createServer } from 'node:http';

createServer((_request, response) => response.end(`ok ${process.pid}`)).listen(Number(process.env.PORT), '127.0.0.1');
