import { registerHooks, type ResolveHookSync } from 'node:module';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';

/** URLs of files, and of folders with a slash at their end. */
const modules = new Set<string>();
let isHooked = false;

/**
 * Makes a file, or what lies in a folder, an ES module for Node whatever the `package.json` above it says: it belongs to the
 * service, which may be `"type": "commonjs"` (what `npm init` writes), or broken, which is when Grace is needed.
 * @param path   absolute; a folder ends in a slash
 */
export function treatAsModule(path: string): void {
  modules.add(pathToFileURL(path).href);
  if (isHooked) return;
  isHooked = true;
  registerHooks({ resolve });
}

const resolve: ResolveHookSync = (specifier, context, next) => {
  // Node's own way would read the package.json, and fail with it.
  if (isModule(specifier)) return { url: specifier, format: formatOf(specifier), shortCircuit: true };
  try {
    const resolved = next(specifier, context);
    return isModule(resolved.url) ? { ...resolved, format: formatOf(resolved.url) } : resolved;
  } catch (error) {
    // Whoever looks for the place in the stack must not find this one.
    if (error instanceof Error) Error.captureStackTrace(error, resolve);
    throw error;
  }
};

function isModule(url: string): boolean {
  if (!url.startsWith('file:')) return false;
  const bare = withoutQuery(url);
  const extension = extname(bare);
  if (extension !== '.ts' && extension !== '.js') return false;
  return modules.has(bare) || modules.has(bare.slice(0, bare.lastIndexOf('/') + 1));
}

function formatOf(url: string): string {
  return withoutQuery(url).endsWith('.ts') ? 'module-typescript' : 'module';
}

function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/, '');
}
