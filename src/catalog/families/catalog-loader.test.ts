import { expect, test } from 'vitest';
import { loaderPlaybook } from './catalog-loader.ts';
import { localModuleMissing } from './local-module-missing.ts';
import { ask, drift, fact, type World } from './testing.ts';

const IMPORT = 'from backend.metrics_catalog_loader import load_metrics_catalog\n';

function world(change: World = {}, source = IMPORT, subject = 'backend.metrics_catalog_loader'): World {
  return {
    facts: [fact('module_missing', subject, { runtime: 'python', details: { from: '/srv/app/main.py', isPackage: true } })],
    ...change,
    disk: { 'main.py': source, 'backend/__init__.py': '', ...change.disk },
  };
}

async function remedyOf(given: World) {
  return (await ask(localModuleMissing, given))[0]?.remedy ?? null;
}

test('a loader that was never there is made with its catalog, after an approval', async () => {
  const remedy = await remedyOf(world());
  expect(remedy).toMatchObject({ playbook: 'create_metrics_catalog_loader', risk: 'high', tier: 'tier_3' });
  expect(remedy?.steps.map(({ primitive, params }) => [primitive, params['path'], 'over' in params])).toEqual([
    ['write_file', '/srv/app/backend/metrics_catalog.json', false],
    ['write_file', '/srv/app/backend/metrics_catalog_loader.py', false],
  ]);
});

test.each<readonly [string, World]>([
  ['the catalog is there', world({ disk: { 'backend/metrics_catalog.json': '{"a":1}' } })],
  ['a package of that name is there', world({ disk: { 'backend/metrics_catalog_loader/x.txt': '' } })],
  ['the catalog was there once', world({ lastGood: { 'backend/metrics_catalog.json': '{"a":1}' } })],
  ['something that changed may be why', world({ drift: [drift('changed', 'main.py')] })],
  ['more is imported from it', world({}, 'from backend.metrics_catalog_loader import load_metrics_catalog, Metric\n')],
  ['another name is imported from it', world({}, 'from backend.metrics_catalog_loader import read_all\n')],
  ['it is imported as a whole', world({}, `${IMPORT}import backend.metrics_catalog_loader\n`)],
  ['it is no loader of a catalog', world({}, 'from backend.yaml_loader import load_yaml\n', 'backend.yaml_loader')],
  [
    'its package is not there',
    world({}, 'from other.metrics_catalog_loader import load_metrics_catalog\n', 'other.metrics_catalog_loader'),
  ],
])('nothing is made where %s', async (_what, given) => {
  expect((await remedyOf(given))?.steps.some(({ primitive }) => primitive === 'write_file') ?? false).toBe(false);
});

test('nothing is made for who is asked by an installed package or from outside', async () => {
  for (const from of ['/srv/app/.venv/lib/python3.12/site-packages/dep/main.py', '/opt/tool/main.py']) {
    const given = world();
    const facts = [fact('module_missing', 'backend.metrics_catalog_loader', { runtime: 'python', details: { from, isPackage: true } })];
    expect(await remedyOf({ ...given, facts, disk: { ...given.disk, [from]: IMPORT } })).toBeNull();
  }
});

test('a loader that was there comes back from its copy, under the same name', async () => {
  const remedy = await remedyOf(world({ lastGood: { 'backend/metrics_catalog_loader.py': 'x = 1\n' } }));
  expect(remedy).toMatchObject({ playbook: 'create_metrics_catalog_loader', tier: 'tier_2' });
  expect(remedy?.steps).toMatchObject([{ primitive: 'restore_file', params: { path: '/srv/app/backend/metrics_catalog_loader.py' } }]);
});

test.each([
  ['backend.metrics_catalog_loader', 'create_metrics_catalog_loader'],
  ['lib/price-catalog-loader.mjs', 'create_price_catalog_loader'],
  ['load_metrics_catalog', 'create_metrics_catalog_loader'],
  ['loadMetricsCatalog', 'create_metrics_catalog_loader'],
  ['./lib/names.mjs', null],
  ['yaml_loader', null],
  ['load_catalog; rm -rf', null],
])('%s is the loader of %s', (name, playbook) => {
  expect(loaderPlaybook(name)).toBe(playbook);
});
