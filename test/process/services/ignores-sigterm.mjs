// Healthy in every way, but no polite signal ends it.
import { createServer } from 'node:http';

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => console.log(`${signal}: not now`));
createServer((_request, response) => response.end('ok')).listen(Number(process.env.PORT), '127.0.0.1');
