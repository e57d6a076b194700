import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let dir = '';
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'grace-modules-'))));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What a process of its own makes of `playbooks/one.ts`, and what Node says to a person meanwhile. */
function imported(packageJson: string): string {
  const project = mkdtempSync(join(dir, 'p-'));
  mkdirSync(join(project, 'playbooks'));
  writeFileSync(join(project, 'package.json'), packageJson);
  writeFileSync(join(project, 'playbooks/two.ts'), 'export const two: number = 2;\n');
  writeFileSync(
    join(project, 'playbooks/one.ts'),
    "import { two } from './two.ts';\nimport type { Playbook } from 'grace-runtime';\nexport default two satisfies number;\n",
  );
  const script = `
    const { treatAsModule } = await import(${JSON.stringify(join(import.meta.dirname, 'module-files.ts'))});
    treatAsModule(process.argv[1] + '/playbooks/');
    console.log((await import(${JSON.stringify(`${pathToFileURL(project).href}/playbooks/one.ts?v=1`)})).default);
  `;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script, project], { encoding: 'utf8', stdio: 'pipe' });
}

describe('a TypeScript file of Grace beside a service', () => {
  test('is a module in a package that says it is CommonJS, as npm init does', () => {
    expect(imported('{"type":"commonjs"}')).toBe('2\n');
  });

  test('is a module in a package that says nothing', () => {
    expect(imported('{}')).toBe('2\n');
  });
});

test('a file without imports is loaded beside a broken package.json', () => {
  const project = mkdtempSync(join(dir, 'p-'));
  writeFileSync(join(project, 'package.json'), '{"type":');
  const file = join(project, 'one.ts');
  writeFileSync(file, 'export default 1 as number;\n');
  const script = `
    const { treatAsModule } = await import(${JSON.stringify(join(import.meta.dirname, 'module-files.ts'))});
    treatAsModule(process.argv[1]);
    console.log((await import(${JSON.stringify(pathToFileURL(file).href)})).default);
  `;
  expect(execFileSync(process.execPath, ['--input-type=module', '-e', script, file], { encoding: 'utf8', stdio: 'pipe' })).toBe('1\n');
});
