import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { primitives } from './index.ts';
import { Sandbox } from './testing/sandbox.ts';

/** Shows each word it gets on a line of its own. */
const ECHO = 'for (const word of process.argv.slice(2)) console.log("<" + word + ">");';

let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
});
afterEach(() => box.remove());

const command = (argv: readonly string[], timeoutMs = 30_000) => ({ argv: [...argv], timeoutMs });
const state = async (argv: readonly string[]): Promise<string> => (await box.plan('shell', command(argv))).state;

async function script(code: string): Promise<readonly string[]> {
  await box.write('script.cjs', code);
  box.allowedCommands = [[process.execPath, 'script.cjs']];
  return [process.execPath, 'script.cjs'];
}

describe('what may run', () => {
  test('is nothing where the configuration names nothing', async () => {
    expect(await box.refusal('shell', command(['true', 'x']))).toMatch(
      /^true x is not allowed: .*healing: \{ allowShell: \[\["true", "x"\]\] \}/,
    );
    await expect(box.apply('shell', command(['true']))).rejects.toThrow(/not ready/);
    expect(box.ran).toEqual([]);
  });

  test.each([
    ['the same words', ['true', 'reload'], 'ready'],
    ['more words', ['true', 'reload', 'nginx', ''], 'ready'],
    ['fewer words', ['true'], 'refused'],
    ['another word', ['true', 'stop'], 'refused'],
    ['a word that only begins alike', ['true', 'reload-or-restart'], 'refused'],
    ['both words in one', ['true reload'], 'refused'],
    ['the same words later', ['env', 'true', 'reload'], 'refused'],
    ['another program of that name', ['./true', 'reload'], 'refused'],
  ])('%s as the allowed: %s is %s', async (_what, argv, expected) => {
    box.allowedCommands = [['false'], ['true', 'reload']];
    expect(await state(argv)).toBe(expected);
  });

  test('an empty list allows nothing, and no part of one does', async () => {
    box.allowedCommands = [[]];
    expect(await state(['true'])).toBe('refused');
  });

  test('only what is on the PATH of the component', async () => {
    box.allowedCommands = [['true'], ['tool'], ['./tool']];
    expect(await state(['./tool'])).toBe('refused');
    await box.write('tool', '#!/bin/sh\n', 0o755);
    expect(await state(['./tool'])).toBe('ready');
    expect(await box.refusal('shell', command(['tool']))).toMatch(/tool is not found on the PATH of web/);
    box.environment['PATH'] = box.root;
    expect(await state(['tool'])).toBe('ready');
    expect(await state(['true'])).toBe('refused');
  });

  test.each([
    [['sh', '-c', 'id']],
    [['bash', '-lc', 'id']],
    [['/bin/sh', '-e', '-c', 'id']],
    [['bash', '-o', 'pipefail', '-ec', 'id']],
    [['env', 'A=1', 'sh', '-c', 'id']],
    [['timeout', '5', 'bash', '-c', 'id']],
    [['env', '-S', 'sh -c id']],
    [['env', '--split-string=sh -c id']],
    [['env', '-ivS', 'sh -c id']],
    [['env', '--split=sh -c id']],
    [['bash', '-xce', 'id']],
    [['sh', '-ece', 'id']],
    [['timeout', '5', 'sh', '-uce', 'id']],
    [['bash', '-eo', 'pipefail', '-xce', 'id']],
    [['bash', '--norc', '-xce', 'id']],
    [['nice', '-n', '5', 'dash', '-ce', 'id']],
    [['stdbuf', '-oL', 'sh', '-ecu', 'id']],
    [['setpriv', '--reuid', '1', 'sh', '-xce', 'id']],
    [['find', '.', '-exec', 'sh', '-xce', 'id', ';']],
    [['xargs', '-a', 'words', 'sh']],
  ])('no shell that reads a text, also when it is allowed: %j', async (argv) => {
    box.allowedCommands = [argv];
    box.environment['PATH'] = '/usr/bin:/bin';
    expect(await box.refusal('shell', command(argv))).toMatch(/hands a text to a shell/);
  });

  test.each([
    [['python3', '-c', 'print(1)'], 'python3'],
    [['python3.12', '-Bc', 'print(1)'], 'python3.12'],
    [['python3', '-W', 'ignore', '-Ic', 'print(1)'], 'python3'],
    [['python3', '-m', 'timeit', 'print(1)'], 'python3'],
    [['nice', 'node', '-pe', '1'], 'node'],
    [['node', '--eval=1'], 'node'],
    [['node', '--no-warnings', '-e', '1'], 'node'],
    [['node', '--import', 'data:text/javascript,1'], 'node'],
    [['perl', '-we', '1'], 'perl'],
    [['ruby', '-ne', '1'], 'ruby'],
    [['php', '-r', '1;'], 'php'],
    [['awk', 'BEGIN { system("id") }'], 'awk'],
    [['busybox', 'awk', 'BEGIN { system("id") }'], 'awk'],
    [['lua5.4', '-e', 'os.exit()'], 'lua5.4'],
    [['su', '-c', 'id'], 'a shell'],
    [['su', 'app', '--comm=id'], 'a shell'],
    [['runuser', '-lc', 'id', 'app'], 'a shell'],
    [['script', '-qce', 'id', 'out'], 'script'],
    [['watch', 'id'], 'a shell'],
    [['ssh', 'host', 'true; id'], 'a shell'],
    [['ssh', '-oProxyCommand=./x', 'host'], 'a shell'],
    [['sudo', '-ns', 'id'], 'a shell'],
    [['flock', 'lock', '-c', 'id'], 'a shell'],
    [['npx', '-c', 'id'], 'a shell'],
  ])('no text for who reads one as a program: %j hands it to %s', async (argv, reader) => {
    await box.write(argv[0] ?? '', '#!/bin/sh\n', 0o755);
    box.environment['PATH'] = box.root;
    box.allowedCommands = [argv];
    expect(await box.refusal('shell', command(argv))).toContain(`hands a text to ${reader}, which`);
  });

  test.each(
    'ash bash5 bash-5.2 bash-static bosh csh elvish es fish ksh ksh2020 ksh93 lksh mksh mksh-static nu oksh osh pdksh posh powershell.exe pwsh pwsh-preview rbash rksh93 sash tcsh xonsh yash ysh zsh5 zsh-5.9'.split(
      ' ',
    ),
  )('no text for %s, whichever shell it is', async (name) => {
    await box.write(name, '#!/bin/sh\n', 0o755);
    box.environment['PATH'] = `${box.root}:/usr/bin:/bin`;
    box.allowedCommands = [[name], ['env', name], ['busybox', name]];
    await box.write('busybox', '#!/bin/sh\n', 0o755);
    for (const argv of [
      [name, '-c', 'id'],
      ['env', name, '-c', 'id'],
      ['busybox', name, '-c', 'id'],
    ])
      expect(await box.refusal('shell', command(argv))).toMatch(/hands a text to a shell/);
    expect(await state([name, 'script.sh'])).toBe('ready');
  });

  test.each([
    [['fish', '--init-command', 'id']],
    [['fish', '-C', 'id']],
    [['pwsh', '-EncodedCommand', 'aQBkAA==']],
    [['pwsh-preview', '-COM', 'id']],
    [['powershell.exe', '-e', 'aQBkAA==']],
    [['nu', '-e', 'ls']],
    [['nu', '--commands', 'ls']],
    [['nu', '--execute', 'ls']],
    [['su', '--session-command=id', 'root']],
  ])('no text in another option that a shell has for it: %j', async (argv) => {
    await box.write(argv[0] ?? '', '#!/bin/sh\n', 0o755);
    box.environment['PATH'] = box.root;
    box.allowedCommands = [argv];
    expect(await box.refusal('shell', command(argv))).toMatch(/hands a text to a shell/);
  });

  test.each([
    [['bash', '-e', 'script.sh', '-force']],
    [['bash', '-o', 'pipefail', 'script.sh', '-force']],
    [['python3', '-W', 'ignore', 'manage.py', '-c', 'site']],
    [['node', '--enable-source-maps', '-r', './hook.js', 'main.js', '-e', 'production']],
    [['perl', '-w', 'script.pl', '-e']],
    [['awk', '-f', 'count.awk', 'log']],
    [['watch', '-x', 'date']],
    [['ssh', 'host', 'systemctl', 'restart', 'web@1.service']],
    [['systemctl', 'restart', 'node']],
    [['npm', 'run', 'build']],
    [['sh', '-e', 'script.sh']],
    [['sh', 'script.sh', '-C', '/srv']],
    [['pwsh', '-ExecutionPolicy', 'Bypass', '-File', 'a.ps1']],
  ])('a script in a file is no text: %j', async (argv) => {
    await box.write(argv[0] ?? '', '#!/bin/sh\n', 0o755);
    box.environment['PATH'] = box.root;
    box.allowedCommands = [argv];
    expect(await state(argv)).toBe('ready');
  });

  test('no shell behind a link of another name', async () => {
    const { symlink } = await import('node:fs/promises');
    await symlink('/bin/sh', box.path('tool'));
    box.allowedCommands = [['./tool']];
    expect(await box.refusal('shell', command(['./tool', '-c', 'id']))).toMatch(/hands a text to a shell/);
    expect(await state(['./tool', 'script.sh'])).toBe('ready');
  });

  test('what has become forbidden since the plan is refused at the moment of action', async () => {
    const argv = await script('require("fs").writeFileSync("ran", "")');
    const context = box.context();
    await expect(
      primitives.get('shell')?.apply(command(argv), { ...context, allowedCommands: [[process.execPath, 'other.cjs']] }, null),
    ).rejects.toThrow(/is not allowed/);
    expect(await box.state()).not.toHaveProperty('/ran');
  });
});

describe('its words', () => {
  test.each([
    [[], /not empty/],
    [[' '], /begin with a program/],
    [['true', 1], /list of texts/],
    [['true', 'a\nb'], /control character/],
    [['true', '\u001B[2K'], /control character/],
    [Array.from({ length: 65 }, () => 'x'), /more than 64/],
    [['true', 'x'.repeat(3000)], /longer than/],
    ['true; id', /list of texts/],
  ])('cannot be %j', (argv, expected) => {
    expect(() => primitives.get('shell')?.parse({ argv, timeoutMs: 1000 })).toThrow(expected);
  });

  test('reach the command as they are: nothing is expanded, split, redirected or left out', async () => {
    const words = ['; touch made', '$(touch made)', '`touch made`', '*', '$HOME', '>', 'made', '&&', 'same', 'same', '', "it's", '~'];
    const argv = [...(await script(ECHO)), ...words];
    await box.apply('shell', command(argv));
    expect(box.ran).toEqual([argv]);
    const { stdout } = await box.context().run(argv, { timeoutMs: 30_000 });
    expect(stdout.trimEnd().split('\n')).toEqual(words.map((word) => `<${word}>`));
    expect(Object.keys(await box.state())).toEqual(['', '/script.cjs']);
  });

  test('can be told from each other by who approves them', async () => {
    box.allowedCommands = [['true']];
    const targets = async (argv: readonly string[]) => (await box.plan('shell', command(argv))) as unknown;
    expect(await targets(['true', 'a b'])).toMatchObject({ targets: ["true 'a b'"] });
    expect(await targets(['true', 'a', 'b'])).toMatchObject({ targets: ['true a b'] });
    expect(await targets(['true', ''])).toMatchObject({ targets: ["true ''"] });
  });
});

describe('a run', () => {
  test('is in the directory and the environment of the component', async () => {
    box.environment['MARK'] = 'of the component';
    await box.apply('shell', command(await script('console.log(process.cwd(), process.env.MARK)')));
    expect(box.said).toBe(`${process.execPath} script.cjs ended with 0\n${box.root} of the component`);
  });

  test('shows the end of what was written, and no more', async () => {
    await box.apply('shell', command(await script('for (let i = 0; i < 5000; i++) console.log(i, "x".repeat(500))')));
    expect(box.said.split('\n')).toHaveLength(5);
    expect(box.said).toContain('4999 xxx');
    expect(box.said.length).toBeLessThan(2000);
  });

  test('has failed when it does not end with 0, and says why', async () => {
    await expect(box.apply('shell', command(await script('console.error("no such unit"); process.exit(5)')))).rejects.toThrow(
      /script\.cjs ended with 5\nno such unit/,
    );
  });

  test('has failed when it takes longer than it may', async () => {
    await expect(box.apply('shell', command(await script('setInterval(() => {}, 1000)'), 300))).rejects.toThrow(/took more than 300 ms/);
  });

  test('shows no secret: not in the plan, its refusal, its output or its failure', async () => {
    const canary = "canary-'4f9a1c77e0";
    box.redactor.learn([canary]);
    box.environment['TOKEN'] = canary;
    const said: unknown[] = [await box.plan('shell', command(['true', canary]))];
    const argv = [...(await script('console.log(process.env.TOKEN, process.argv[2])')), canary];
    said.push(await box.plan('shell', command(argv)));
    await box.apply('shell', command(argv));
    said.push(box.said);
    await script('console.error(process.env.TOKEN); process.exit(1)');
    said.push(
      await box.apply('shell', command(argv)).then(
        () => null,
        (error: unknown) => String(error),
      ),
    );
    for (const one of said) {
      expect(JSON.stringify(one)).toContain('[redacted]');
      expect(JSON.stringify(one)).not.toContain('4f9a1c77e0');
    }
  });
});
