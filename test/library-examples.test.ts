import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const page = readFileSync(join(ROOT, 'docs/guide/library.md'), 'utf8');

/** Each example with the output that stands below it. */
const examples = [...page.matchAll(/^```ts\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```$/gm)].map(([, code = '', output = '']) => ({
  title: code.split('\n')[0] ?? '',
  code,
  output,
}));

it('every example of the page has an output to compare with', () => {
  expect(examples.length).toBe(page.match(/^```ts$/gm)?.length);
  expect(examples.length).toBeGreaterThan(4);
});

it.each(examples)('$title … prints what the page says', ({ code, output }) => {
  const directory = mkdtempSync(join(tmpdir(), 'grace-example-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const installed = join(directory, 'node_modules', 'grace-runtime');
  mkdirSync(installed, { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{"name":"shop","type":"module","scripts":{"start":"node server.js"}}');
  writeFileSync(join(installed, 'package.json'), '{"name":"grace-runtime","type":"module","exports":"./index.js"}');
  writeFileSync(join(installed, 'index.js'), `export * from ${JSON.stringify(pathToFileURL(join(ROOT, 'src/index.ts')).href)};`);
  writeFileSync(join(directory, 'example.ts'), code);
  const printed = execFileSync(process.execPath, ['example.ts'], { cwd: directory, encoding: 'utf8', env: { PATH: process.env['PATH'] } });
  expect(printed).toMatch(asPattern(output));
});

/** `…` stands for what differs from run to run. */
function asPattern(output: string): RegExp {
  const literal = output.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${literal.join('[^\\n]*')}$`);
}
