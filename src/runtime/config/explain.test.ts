import { expect, it } from 'vitest';
import { ConfigProject } from './config-project.ts';
import { explainConfig, explainText } from './explain.ts';

it('shows each value with its origin, and no secret', async () => {
  using project = new ConfigProject({
    'grace.config.json': {
      components: {
        api: {
          command: ['node', 'api.js', '--token', 'tok-12345678', '--password=hunter22', '--verbose'],
          env: { API_TOKEN: 'abcdefgh', URL: 'postgres://u:pa55word@h/d', PLAIN: 'x' },
          database: 'postgres://u:pa55word@h/d',
          port: 4000,
        },
      },
    },
  });
  const config = await project.load({ environment: { AMP_API_KEY: 'amp-0123456789', GRACE_DATABASE_URL: 'postgres://g:geheim99@h/g' } });
  const rows = explainConfig(config);
  const shown = JSON.stringify(rows) + explainText(rows);
  for (const secret of ['tok-12345678', 'hunter22', 'abcdefgh', 'pa55word', 'amp-0123456789', 'geheim99'])
    expect(shown).not.toContain(secret);
  const byPath = new Map(rows.map((row) => [row.path, row]));
  expect(byPath.get('components.api.command')?.value).toEqual([
    'node',
    'api.js',
    '--token',
    '[redacted]',
    '--password=[redacted]',
    '--verbose',
  ]);
  expect(byPath.get('components.api.env.PLAIN')).toEqual({ path: 'components.api.env.PLAIN', value: 'x', source: 'file', reason: null });
  expect(byPath.get('healing.ampApiKey')).toMatchObject({ value: '[redacted]', source: 'environment', reason: 'AMP_API_KEY' });
  expect(byPath.get('components.api.soak')).toMatchObject({ value: '2s', source: 'default' });
  expect(explainText(rows)).toMatch(/^components\.api\.port +4000 +file$/m);
});
