import { join } from 'node:path';
import type { CaseFile } from '../../domains/learning/index.ts';

/** A module of the service's own beyond this is data. */
const SOURCE_BYTES_MAX = 256 * 1024;
/** Modules looked at for an application. */
const MODULES_MAX = 60;
const NOT_AN_APPLICATION = /^(?:setup|conftest|test_.*|.*_test|tests|manage|migrations|venv|env|node_modules|docs)$/;

type World = Pick<CaseFile, 'files' | 'component'>;

/** The file of a module as Python writes it: `mysite.settings` → `mysite/settings.py` or `mysite/settings/__init__.py`. */
export async function fileOfModule(c: World, module: string): Promise<string | null> {
  if (!/^\w+(?:\.\w+)*$/.test(module)) return null;
  const stem = join(c.component.cwd, ...module.split('.'));
  for (const path of [`${stem}.py`, join(stem, '__init__.py')]) if ((await c.files.stat(path))?.kind === 'file') return path;
  return null;
}

export async function sourceOf(c: World, path: string): Promise<string> {
  return (await c.files.readText(path, SOURCE_BYTES_MAX)) ?? '';
}

/** Modules and packages that lie directly in the working directory, with their files. */
export async function topModules(c: World): Promise<readonly { readonly name: string; readonly path: string }[]> {
  const found: { name: string; path: string }[] = [];
  for (const entry of await c.files.list(c.component.cwd)) {
    if (found.length >= MODULES_MAX) break;
    const name = entry.replace(/\.py$/, '');
    if (!/^\w+$/.test(name) || NOT_AN_APPLICATION.test(name)) continue;
    const path = entry.endsWith('.py') ? join(c.component.cwd, entry) : join(c.component.cwd, entry, '__init__.py');
    if ((await c.files.stat(path))?.kind === 'file') found.push({ name, path });
  }
  return found;
}

/** Names at the top of a module that hold an application: `api = FastAPI()`, `def create_app():`. */
export function applicationsIn(source: string): readonly string[] {
  const objects = [
    ...source.matchAll(
      /^(\w{1,60})\s{0,4}(?::\s{0,4}\w{1,60}\s{0,4})?=\s{0,4}(?:[\w.]{1,80}\.)?(?:FastAPI|Flask|Starlette|Celery|Sanic|Quart|Litestar|get_wsgi_application|get_asgi_application|create_app|make_app)\(/gm,
    ),
  ].map((m) => m[1] ?? '');
  const factories = [...source.matchAll(/^(?:async )?def (create_app|make_app)\(/gm)].map((m) => `${m[1] ?? ''}()`);
  return [...new Set([...objects, ...factories])];
}

/** The settings module that the project's own entry points name; null when they name none, or different ones. */
export async function djangoSettingsModule(c: World): Promise<string | null> {
  const named = new Set<string>();
  const packages = (await c.files.list(c.component.cwd)).filter((name) => /^\w+$/.test(name)).slice(0, MODULES_MAX);
  for (const path of ['manage.py', ...packages.flatMap((name) => [`${name}/wsgi.py`, `${name}/asgi.py`])]) {
    const source = await sourceOf(c, join(c.component.cwd, path));
    const module = /DJANGO_SETTINGS_MODULE["']\s{0,4}[,\]]\s{0,4}=?\s{0,4}["']([\w.]{1,200})["']/.exec(source)?.[1];
    if (module !== undefined) named.add(module);
  }
  const [only] = named;
  return named.size === 1 && only !== undefined && (await fileOfModule(c, only)) !== null ? only : null;
}
