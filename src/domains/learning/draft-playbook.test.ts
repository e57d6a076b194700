import { parseSync } from 'oxc-parser';
import { describe, expect, test } from 'vitest';
import { draftPlaybookSource, type PlaybookDraft } from './draft-playbook.ts';

const DRAFT: PlaybookDraft = {
  name: 'mend',
  description: 'mends it',
  risk: 'low',
  tier: 'tier_1',
  match: { signature: '0123456789abcdef', family: 'directory_missing', component: 'api' },
  steps: [{ name: 'make it', primitive: 'make_directory', params: { path: 'uploads' } }],
  about: ['Incident:   x_1'],
  language: 'ts',
};

const HOSTILE = [
  '*/ globalThis.pwned = true; /*',
  "'); globalThis.pwned = true; ('",
  '\u2028globalThis.pwned = true\u2029',
  '\r\nglobalThis.pwned = true\n',
  '`${globalThis.pwned = true}`',
  '*\u2028/ globalThis.pwned = true',
  '\\',
];

/** Source without comments and strings: what is left is code. */
function codeOf(source: string): string {
  const { program, comments, errors } = parseSync('mend.ts', source);
  expect(errors).toEqual([]);
  const spans: (readonly [number, number])[] = comments.map((c) => [c.start, c.end]);
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { type, value, start, end } = node as Record<string, unknown>;
    if (type === 'Literal' && typeof value === 'string') spans.push([start as number, end as number]);
    for (const child of Object.values(node))
      if (Array.isArray(child)) child.forEach(visit);
      else visit(child);
  };
  visit(program);
  return spans.toSorted((a, b) => b[0] - a[0]).reduce((text, [start, end]) => text.slice(0, start) + text.slice(end), source);
}

describe('a draft', () => {
  test.each(HOSTILE)('stays a draft with %j in everything that comes from a failure', (text) => {
    for (const language of ['ts', 'mjs'] as const) {
      const source = draftPlaybookSource({
        ...DRAFT,
        language,
        description: text,
        about: [text, `Evidence: ${text}`],
        match: { ...DRAFT.match, family: text, component: text },
        steps: [{ name: text, primitive: 'make_directory', params: { path: text, [text]: [text] } }],
      });
      expect(codeOf(source)).not.toContain('pwned');
    }
  });

  test('for a failure has its match, parameters and steps', () => {
    const source = draftPlaybookSource(DRAFT);
    expect(source).toContain("match: { signature: '0123456789abcdef', family: 'directory_missing', component: 'api' },");
    expect(source).toContain("params: { path: 'uploads' },");
    expect(source).toContain("await ctx.step('make it', 'make_directory', { path: ctx.params.path });");
  });

  test('without steps tells people that it has none', () => {
    const source = draftPlaybookSource({ ...DRAFT, steps: [], match: {} });
    expect(source).toContain("'notify', { message: ctx.params.message }");
    expect(source).toContain('match: {},');
  });
});
