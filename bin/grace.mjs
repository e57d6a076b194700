#!/usr/bin/env node
// Plain JavaScript that every Node can read: an old one gets a line it can act on instead of a syntax error.
import module from 'node:module';
import v8 from 'node:v8';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const isSupported = (major === 22 && minor >= 18) || (major === 24 && minor >= 11) || major >= 26;
if (!isSupported) {
  process.stderr.write(
    `grace: this is Node ${process.versions.node}; Grace needs Node 22.18, 24.11, 26 or newer. ` +
      'Install one (for this project alone: npm install --save-dev node), the services it runs may stay on theirs.\n',
  );
  process.exit(2);
}
// Grace sits beside its services for weeks: the young generation stays as small as it begins. A check is over before that counts, and
// takes a tenth less time without.
if (process.argv[2] !== 'check') v8.setFlagsFromString('--semi-space-growth-factor=1');
// A log is read to its end in constant memory: what was read is given back soon, and the heap does not grow with it. While V8 marks
// step by step it keeps all that is made meanwhile, which would be as much again.
if (process.argv[2] === 'audit') for (const flag of ['--heap-growing-percent=50', '--no-incremental-marking']) v8.setFlagsFromString(flag);
module.enableCompileCache?.();
const { main } = await import('../dist/cli.mjs');
await main(process.argv.slice(2));
