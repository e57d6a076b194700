import { parse } from 'acorn';
import { compileFunction, SourceTextModule } from 'node:vm';
import type { TextProblem } from '../../domains/preflight/index.ts';
import { brokenAt, type Place } from './text-problem.ts';

const NAME = 'script';
/** What a CommonJS module finds in its scope. */
const SCOPE = ['exports', 'require', 'module', '__filename', '__dirname'];

/**
 * JavaScript that neither CommonJS nor an ES module can be made of. V8 compiles it and runs nothing. Without `--experimental-vm-modules`
 * nothing is said of what imports or exports.
 */
export function lintScript(text: string): readonly TextProblem[] {
  const plain = text.startsWith('#!') ? `//${text.slice(2)}` : text;
  const asScript = problemOf(() => compileFunction(plain, SCOPE, { filename: NAME }));
  if (asScript === null) return [];
  const Module = SourceTextModule as typeof SourceTextModule | undefined;
  if (Module === undefined) return isModule(plain) ? [] : [asScript];
  const asModule = problemOf(() => new Module(plain, { identifier: NAME }));
  if (asModule === null) return [];
  return [isModule(plain) ? { ...asModule, ...placeInModule(plain) } : asScript];
}

/** V8 does not say where in a module. */
function placeInModule(text: string): Place {
  try {
    parse(text, { ecmaVersion: 'latest', sourceType: 'module', allowAwaitOutsideFunction: true });
  } catch (error) {
    const { loc } = error as { readonly loc?: { readonly line: number; readonly column: number } };
    if (loc !== undefined) return { line: loc.line, column: loc.column + 1 };
  }
  return { line: 1, column: 1 };
}

function isModule(text: string): boolean {
  return /^[ \t]{0,20}(?:import|export)\b/m.test(text);
}

/** V8 writes the place, the line and a mark below it in front of its own words, which quote the text from the first quote on. */
function problemOf(compile: () => unknown): TextProblem | null {
  try {
    compile();
    return null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const [place = '', , mark = ''] = (error.stack ?? '').split('\n', 3);
    const line = Number(/:(\d{1,9})$/.exec(place)?.[1] ?? 1);
    const said = (/^[^'"`]{0,80}/.exec(error.message)?.[0] ?? '').trim().toLowerCase();
    return brokenAt({ line, column: Math.max(0, mark.indexOf('^')) + 1 }, `is no JavaScript here: ${said}`);
  }
}
