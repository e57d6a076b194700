import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const prices = readFileSync(new URL('config/prices.json', import.meta.url));
const { currency } = JSON.parse(readFileSync(new URL('config/shop.json', import.meta.url), 'utf8'));

createServer((_, response) => response.setHeader('x-currency', currency).end(prices)).listen(Number(process.env['PORT']), '127.0.0.1');
