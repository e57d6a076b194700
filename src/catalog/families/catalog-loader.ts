import { dirname, join } from 'node:path';
import type { Fact } from '../../domains/incidents/index.ts';
import type { CaseFile, Remedy } from '../../domains/learning/index.ts';
import { DELICATE, remedy, step, text } from './answer.ts';
import { hasSuspects } from './changed-code.ts';
import { absolutePath, isInPackages, isOwn, shownPath } from './places.ts';

/** `backend.metrics_catalog_loader`, `lib/metrics-catalog-loader.js`: what reads a catalog. */
const LOADER = /(?:^|[./])([a-z][a-z0-9_-]{0,60}[_-]catalog)[_-]loader(?:\.[cm]?[jt]s|\.py)?$/;
/** `load_metrics_catalog`, `loadMetricsCatalog`. */
const LOAD = /^load_([a-z][a-z0-9_]{0,60}_catalog)$|^load([A-Z][A-Za-z0-9]{0,60}Catalog)$/;
/** A module of the service's own beyond this is data. */
const SOURCE_BYTES_MAX = 256 * 1024;

/**
 * The name of the playbook that gets the loader of a catalog back: `create_metrics_catalog_loader`.
 * @param names  of the module, of its file, of what was imported from it
 * @returns null where it is no loader of a catalog
 */
export function loaderPlaybook(...names: readonly string[]): string | null {
  for (const name of names) {
    const [, snake, camel] = LOAD.exec(name) ?? [];
    const catalog = LOADER.exec(name)?.[1] ?? snake ?? camel?.replace(/(?<!^)[A-Z]/g, (letter) => `_${letter}`);
    if (catalog !== undefined) return `create_${catalog.replaceAll('-', '_').toLowerCase()}_loader`;
  }
  return null;
}

/**
 * Makes the loader of a catalog that was never there, and an empty catalog beside it: where the import says all that it has to
 * offer, and neither is there nor was. It looks healed and knows nothing, so a person has to agree. Python only, where the import names both.
 * @param fact  the module that is missing
 */
export async function makingLoader(c: CaseFile, fact: Fact): Promise<Remedy | null> {
  if (fact.runtime !== 'python' || fact.kind !== 'module_missing') return null;
  const parts = fact.subject.split('.');
  const module = parts.at(-1) ?? '';
  const catalog = /^([a-z][a-z0-9_]{0,60}_catalog)_loader$/.exec(module)?.[1];
  // What changed or is lost is the better reason, and its old content the better remedy.
  if (catalog === undefined || !parts.every((part) => /^\w{1,80}$/.test(part)) || hasSuspects(c)) return null;
  const importer = absolutePath(c.component, text(fact, 'from'));
  if (importer === null || !isOwn(c.component, importer) || isInPackages(importer)) return null;
  if (!(await asksOnlyFor(c, importer, module, `load_${catalog}`))) return null;
  const folder = await folderOf(c, parts.slice(0, -1), dirname(importer));
  if (folder === null) return null;
  const [loader, data] = [join(folder, `${module}.py`), join(folder, `${catalog}.json`)];
  for (const path of [loader, join(folder, module), data]) {
    const wasThere = (await c.lastGood.entry(c.component.name, path)) !== null;
    if (wasThere || !isOwn(c.component, path) || (await c.files.stat(path)) !== null) return null;
  }
  const [shown, shownData] = [shownPath(c.component, loader), shownPath(c.component, data)];
  return remedy(`create_${module}`, `make ${shown}, which was never there, and an empty ${shownData} that it reads`, DELICATE, [
    step(`make an empty ${shownData}`, 'write_file', { path: data, content: '{}\n' }),
    step(`make ${shown}`, 'write_file', { path: loader, content: sourceOf(catalog) }),
  ]);
}

/** `from backend.metrics_catalog_loader import load_metrics_catalog`, and nothing else of it. */
async function asksOnlyFor(c: CaseFile, importer: string, module: string, name: string): Promise<boolean> {
  const source = (await c.files.readText(importer, SOURCE_BYTES_MAX)) ?? '';
  const asking = source.split('\n').filter((line) => line.length < 500 && line.includes(module) && /^\s{0,40}(?:from|import)\s/.test(line));
  const only = new RegExp(`^\\s{0,40}from [\\w.]{0,200}${module} import \\(?${name}(?: as \\w{1,80})?\\)?\\s{0,40}(?:#.{0,200})?$`);
  return asking.length > 0 && asking.every((line) => only.test(line.trimEnd()));
}

/** Of a package: where it is looked for from. Of a module without one: beside whoever asks for it. */
async function folderOf(c: CaseFile, packages: readonly string[], beside: string): Promise<string | null> {
  if (packages.length === 0) return beside;
  for (const base of [c.component.cwd, join(c.component.cwd, 'src'), beside]) {
    const folder = join(base, ...packages);
    if ((await c.files.stat(folder))?.kind === 'directory') return folder;
  }
  return null;
}

function sourceOf(catalog: string): string {
  return `"""Reads ${catalog}.json, which lies beside it. Both were made because they were missing: the catalog is empty until it is filled."""
import json
from pathlib import Path

CATALOG = Path(__file__).with_name("${catalog}.json")


def load_${catalog}():
    with CATALOG.open(encoding="utf-8") as file:
        return json.load(file)
`;
}
