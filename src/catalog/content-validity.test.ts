import { describe, expect, it } from 'vitest';
import { contentValidity } from './content-validity.ts';

describe('content validity', () => {
  it('tells whole contents from broken ones', () => {
    const validity = (name: string, text: string): string => contentValidity(name, Buffer.from(text));
    expect(validity('a.json', '{}')).toBe('valid');
    expect(validity('tsconfig.json', '{ // why\n}')).toBe('valid');
    expect(validity('a.yaml', 'a: 1\nb: [1]\n')).toBe('valid');
    expect(validity('a.toml', '# t\n[a.b]\nk = "x # y"\nl = [\n 1,\n 2]\nm = """\nfree [ text\n"""\nd = 1979-05-27\n')).toBe('valid');
    expect(validity('x.key', '-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n')).toBe('valid');
    expect(validity('config/master.key', '0123456789abcdef0123456789abcdef')).toBe('valid');
    expect(validity('config/master.key', '<html>moved</html>')).toBe('broken');
    expect(validity('a.js', 'module.exports = { a: 1 };')).toBe('valid');
    expect(validity('a.js', 'export const a = 1;')).toBe('unknown');
    expect(validity('a.rules', 'anything')).toBe('unknown');
    expect(validity('shop.jar', 'PK\u0003\u0004 a class PK\u0005\u0006 its directory')).toBe('valid');
    for (const [name, text] of [
      ['a.json', '{'],
      ['a.yaml', 'garbage'],
      ['a.yaml', 'a: ['],
      ['a.toml', 'k = "x'],
      ['a.toml', 'k = [1,'],
      ['a.js', '  \n'],
      ['settings.js', 'module.exports = { a: 1 b: 2 };'],
      ['a.conf', '\0\0\0'],
      ['x.pem', '-----BEGIN CERTIFICATE-----\nx'],
      ['.env', 'garbage'],
      ['shop.jar', 'PK\u0003\u0004 cut off'],
    ] as const)
      expect(validity(name, text), `${name} ${text}`).toBe('broken');
  });
});
