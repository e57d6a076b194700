// Cannot start: a file it reads is not there. Says so as Node does, and ends with exit code 1.
const { appendFileSync, readFileSync } = require('node:fs');

appendFileSync(process.env.STARTS_FILE, `${process.pid}\n`);
readFileSync('settings/payment.json', 'utf8');
