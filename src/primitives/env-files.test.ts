import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCopy } from './kept-copy.ts';
import { joinEnv, parseEnvLines } from './env-lines.ts';
import { Sandbox } from './testing/sandbox.ts';

const EXAMPLE = `# how to run it
NAME=orders # inline

# secret: generate 32 bytes
API_TOKEN=
# secret: generate
SIGNING_KEY="changeme"
STRIPE_SECRET=
DB_PASSWORD=your-password-here
export MODE='a
b'
`;
let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
});
afterEach(() => box.remove());

describe('env lines', () => {
  it('are read without losing a byte', () => {
    for (const text of [
      EXAMPLE,
      '',
      '\n',
      'A=1',
      'A=1\r\nB="x\r\ny"\r\n',
      'A="never closed\nB=2\nC=3\n',
      "K='-----BEGIN-----\nabc=\n-----END-----'\nL=1\n",
    ])
      expect(joinEnv(parseEnvLines(text))).toBe(text);
    expect(parseEnvLines('A="never closed\nB=2\n').lines.map((l) => l.name)).toEqual(['A', 'B']);
    expect(parseEnvLines("K='-----BEGIN\nabc=\n-----END'\nL=1\n").lines.map((l) => l.name)).toEqual(['K', 'L']);
  });
});

describe('create_env_file', () => {
  const name = 'create_env_file';
  const params = { file: '.env', example: '.env.example' };

  it('copies the example privately and generates only the secrets that it marks', async () => {
    await fs.chown(box.root, 1234, 1234);
    await box.write('.env.example', EXAMPLE);
    const before = await box.state();
    const plan = await box.plan(name, params);
    expect(plan).toMatchObject({
      summary: expect.stringMatching(/generated API_TOKEN, SIGNING_KEY; a person has to fill in STRIPE_SECRET, DB_PASSWORD/),
    });
    const record = await box.apply(name, params);
    const text = await box.read('.env');
    const env = parseEnv(text);
    expect(Buffer.from(env['API_TOKEN'] ?? '', 'base64url')).toHaveLength(32);
    expect(Buffer.from(env['SIGNING_KEY'] ?? '', 'base64url')).toHaveLength(32);
    expect(text.replace(/(API_TOKEN=|SIGNING_KEY=).+/g, '$1')).toBe(EXAMPLE.replace('"changeme"', ''));
    expect((await box.state())['/.env']).toMatch(/^600 1234:1234/);
    expect(JSON.stringify(record)).not.toContain(env['API_TOKEN']);
    await box.undo(name, record);
    expect(await box.state()).toEqual(before);
    expect(await box.undoneAfterEveryCut(name, params, before)).toMatchObject({ wrong: null });
  });

  it('leaves no secret that it generated where somebody could read it, neither afterwards nor once it is undone', async () => {
    await box.write('.env.example', EXAMPLE);
    const record = await box.apply(name, params);
    const secret = parseEnv(await box.read('.env'))['API_TOKEN'] ?? '';
    expect(secret.length).toBeGreaterThan(20);
    const kept = async (): Promise<readonly string[]> =>
      Promise.all((await fs.readdir(box.backupDir)).map((file) => fs.readFile(join(box.backupDir, file), 'latin1')));
    expect((await kept()).join()).not.toContain(secret);
    await box.undo(name, record);
    expect((await kept()).length).toBe(2);
    expect((await kept()).join()).not.toContain(secret);
    const [sealed] = (await fs.readdir(box.backupDir)).filter((file) => file.endsWith('.undone'));
    const content = await readCopy(box.context(), join(box.backupDir, sealed ?? ''));
    expect(new TextDecoder().decode(content ?? new Uint8Array())).toContain(secret);
  });

  it('takes back what an earlier Grace did, which kept the whole of what it wrote', async () => {
    await box.write('.env.example', EXAMPLE);
    const before = await box.state();
    const record = (await box.apply(name, params)) as { edit: { afterCopy: string } };
    await fs.copyFile(box.path('.env'), record.edit.afterCopy);
    expect(await box.undo(name, record)).toEqual([]);
    expect(await box.state()).toEqual(before);
  });

  it('never overwrites, and never undoes what a person has filled in', async () => {
    await box.write('.env.example', EXAMPLE);
    await box.write('.env', '');
    expect(await box.plan(name, params)).toMatchObject({ state: 'nothing_to_do' });
    await fs.rm(box.path('.env'));
    const record = await box.apply(name, params);
    await fs.appendFile(box.path('.env'), 'MORE=1\n');
    expect(await box.undo(name, record)).toEqual([expect.stringMatching(/changed after/)]);
    expect(await box.read('.env')).toContain('MORE=1');
  });

  it('stays inside the roots', async () => {
    await fs.writeFile(join(box.outside, '.env.example'), EXAMPLE);
    await expect(box.plan(name, { file: '.env', example: join(box.outside, '.env.example') })).rejects.toThrow(/outside the roots/);
    await expect(box.plan(name, { file: '../outside/.env', example: '.env.example' })).rejects.toThrow(/outside the roots/);
    await fs.symlink(join(box.outside, 'new'), box.path('.env'));
    await expect(box.plan(name, params)).rejects.toThrow(/outside the roots/);
  });
});

describe('add_env_keys', () => {
  const name = 'add_env_keys';

  it('takes missing and empty keys from the last good copy and leaves the other lines alone', async () => {
    await box.write('.env', 'A=1\nB="x\ny"\nC=3\n', 0o600, 1234);
    await box.remember('.env');
    await box.write('.env', '# mine\nA=changed by me\nC=', 0o600, 1234);
    const before = await box.state();
    const params = { file: '.env', keys: ['A', 'B', 'C'], from: 'last_good' };
    expect(await box.undoneAfterEveryCut(name, params, before)).toMatchObject({ wrong: null });
    await box.apply(name, params);
    expect((await box.state())['/.env']).toBe('600 1234:1234 # mine\nA=changed by me\nC=3\nB="x\ny"\n');
    expect(await box.plan(name, params)).toMatchObject({ state: 'nothing_to_do' });
  });

  it('keeps what the file held before sealed, and leaves the file alone when that cannot be opened', async () => {
    await box.write('.env', 'A=canary-5e1\n', 0o600, 1234);
    await box.write('.env.example', 'A=1\nB=2\n');
    const record = await box.apply(name, { file: '.env', keys: ['B'], from: 'example' });
    const files = (await fs.readdir(box.backupDir)).map((file) => join(box.backupDir, file));
    for (const file of files) expect(await fs.readFile(file, 'latin1')).not.toContain('canary');
    const copy = files.find((file) => file.includes('.before-')) ?? '';
    const sealed = await fs.readFile(copy);
    await fs.writeFile(copy, sealed.with(sealed.length - 1, sealed.at(-1)! ^ 1));
    expect(await box.undo(name, record)).toEqual([expect.stringMatching(/\.env stays as Grace wrote it: .* is damaged, or was sealed/)]);
    await fs.writeFile(copy, sealed);
    expect(await box.undo(name, record)).toEqual([]);
    expect((await box.state())['/.env']).toBe('600 1234:1234 A=canary-5e1\n');
  });

  it('gives named keys the value of the last good copy when it is told to replace them', async () => {
    await box.write('.env', 'A=1\nB=2\n', 0o600, 1234);
    await box.remember('.env');
    await box.write('.env', 'A=wrong\nB=mine\nC=new\n', 0o600, 1234);
    const before = await box.state();
    const params = { file: '.env', keys: ['A'], from: 'last_good', replace: true };
    expect(await box.undoneAfterEveryCut(name, params, before)).toMatchObject({ wrong: null });
    await box.apply(name, params);
    expect(await box.read('.env')).toBe('A=1\nB=mine\nC=new\n');
    expect(box.said).toMatch(/^put A in .*\.env back as it was$/);
    expect(await box.plan(name, params)).toMatchObject({ state: 'nothing_to_do' });
    await expect(box.plan(name, { ...params, from: 'example' })).rejects.toThrow(/goes with/);
  });

  it('takes from the example what is no placeholder, and generates what it marks', async () => {
    await box.write('.env.example', EXAMPLE);
    await box.write('.env', 'X=1\r\n');
    const record = await box.apply(name, { file: '.env', keys: ['NAME', 'API_TOKEN', 'DB_PASSWORD'], from: 'example' });
    const env = parseEnv(await box.read('.env'));
    expect(env).toMatchObject({ X: '1', NAME: 'orders' });
    expect(env['API_TOKEN']).toHaveLength(43);
    expect(env).not.toHaveProperty('DB_PASSWORD');
    await box.undo(name, record);
    expect(await box.read('.env')).toBe('X=1\r\n');
    expect(await box.refusal(name, { file: '.env', keys: ['DB_PASSWORD', 'STRIPE_SECRET'], from: 'generate' })).toMatch(/nothing is known/);
  });

  it('does not invent a secret whose value was known once', async () => {
    await box.write('.env.example', EXAMPLE);
    await box.write('.env', 'API_TOKEN=known\n');
    await box.remember('.env');
    await box.write('.env', 'X=1\n');
    expect(await box.refusal(name, { file: '.env', keys: ['API_TOKEN'], from: 'generate' })).toMatch(/nothing is known/);
    expect(await box.refusal('generate_secret', { file: '.env', name: 'API_TOKEN', bytes: 32 })).toMatch(/last good boot/);
  });

  it('has nothing to do for no keys, and says what is wrong with its parameters', async () => {
    await box.write('.env', 'X=1\n');
    expect(await box.plan(name, { file: '.env', keys: [], from: 'last_good' })).toMatchObject({ state: 'nothing_to_do' });
    await expect(box.plan(name, { file: '.env', keys: ['A B'], from: 'last_good' })).rejects.toThrow(/"A B" is no name/);
    await expect(box.plan(name, { file: '.env', keys: ['A'], from: 'thin air' })).rejects.toThrow(/"from" has to be one of/);
    await expect(box.plan(name, { file: '.env', keyz: ['A'], from: 'example' })).rejects.toThrow(/no parameter "keyz"/);
  });
});

describe('generate_secret', () => {
  const name = 'generate_secret';

  it('generates what is marked or of own use only, and can be undone', async () => {
    await box.write('.env', 'X=1\nSESSION_SECRET=\n', 0o600);
    const before = await box.state();
    expect(await box.undoneAfterEveryCut(name, { file: '.env', name: 'SESSION_SECRET', bytes: 48 }, before)).toMatchObject({ wrong: null });
    await box.apply(name, { file: '.env', name: 'SESSION_SECRET', bytes: 48 });
    expect(parseEnv(await box.read('.env'))['SESSION_SECRET']).toHaveLength(64);
    expect(await box.refusal(name, { file: '.env', name: 'JWT_SECRET', bytes: 32 })).toMatch(/may be shared/);
    await box.write('.env.example', EXAMPLE);
    expect(await box.plan(name, { file: '.env', name: 'API_TOKEN', bytes: 32 })).toMatchObject({ state: 'ready' });
    await expect(box.plan(name, { file: '.env', name: 'PORT', bytes: 32 })).rejects.toThrow(/not named like a secret/);
    await expect(box.plan(name, { file: '.env', name: 'API_TOKEN', bytes: 4 })).rejects.toThrow(/from 16 to 512/);
  });
});
