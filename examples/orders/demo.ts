// The main demonstration: breaks the orders service for real, lets Grace heal it, boots it a second time, and stays.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { styleText } from 'node:util';

const here = import.meta.dirname;
const grace = join(here, '..', '..', 'bin', 'grace.mjs');

// Ctrl-C reaches the whole group: Grace stops the service in order, and this script waits for it.
process.on('SIGINT', () => undefined);

function run(...argv: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, { cwd: here, stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

function say(text: string): void {
  process.stdout.write(`\n${styleText('bold', `── ${text} `.padEnd(78, '─'), { stream: process.stdout })}\n`);
}

// A demonstration begins without memories of the last one.
for (const own of ['.grace', 'playbooks']) rmSync(join(here, own), { recursive: true, force: true });
say('breaking the orders service');
const broken = await run('break.ts');
if (broken !== 0) process.exit(broken);
say('first boot: Grace finds out why, and puts it right');
const healed = await run(grace, 'boot');
if (healed !== 0) process.exit(healed);
say('second boot: nothing left to heal; Ctrl-C to stop');
process.exit(await run(grace, 'up'));
