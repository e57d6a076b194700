// Cannot keep a secret. Crashes, with every secret it knows in many forms, when its config says so or "crash" appears.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';

const secrets = [process.env.PAYMENT_API_KEY, process.env.SESSION_SECRET, process.env.DATABASE_URL, ...process.argv.slice(2)];

function tellAll() {
  console.error(`my arguments are ${process.argv.slice(2).join(' ')}`);
  for (const secret of secrets.filter(Boolean)) {
    console.error(`the secret is ${secret}, or quoted ${JSON.stringify({ value: secret })}`);
    console.error(`in base64 ${Buffer.from(secret).toString('base64')} or ${Buffer.from(secret).toString('base64url')}`);
    console.error(`in a URL https://example.com/?q=${encodeURIComponent(secret)}`);
    // At every distance from the place where a long line is cut.
    for (let before = 470; before < 514; before += 6) console.error(`${'.'.repeat(before)}${secret}`);
    console.error(`${'\u001b[31m.\u001b[0m'.repeat(110)}${secret}`);
  }
  throw new Error(`the bank says no to ${secrets.join(' and ')}`);
}

if (process.argv.includes('--smoke')) {
  console.log(`the key was ${process.env.PAYMENT_API_KEY}`);
  process.exit(existsSync('smoke-fails') ? 1 : 0);
}
let config;
try {
  config = JSON.parse(readFileSync('config.json', 'utf8'));
} catch (error) {
  console.error(`config.json: ${error.message}`);
  console.error(`it holds ${readFileSync('config.json', 'utf8')}`);
  tellAll();
}
if (config.crash) tellAll();
createServer((_request, response) => response.end(`ok ${process.pid}`)).listen(Number(process.env.PORT), '127.0.0.1');
setInterval(() => {
  if (!existsSync('crash')) return;
  rmSync('crash');
  tellAll();
}, 20);
