import { compileFunction, SourceTextModule } from 'node:vm';
import type { SourceKind } from './module-facts.ts';

/**
 * Whether a text is no JavaScript for the Node that Grace runs on; nothing of it is run. It is a suspicion: the service may run on
 * another Node, which has the last word.
 */
export function isMalformed(source: string, { format, isTypeScript }: SourceKind): boolean {
  // Types have to be taken out first; the Node of the service is asked where the entry alone is in question.
  if (isTypeScript) return false;
  return !(format !== 'esm' && isScript(source)) && !(format !== 'cjs' && isModule(source));
}

function isScript(source: string): boolean {
  try {
    // as Node wraps it
    compileFunction(source.replace(/^#!.*/, ''), ['exports', 'require', 'module', '__filename', '__dirname']);
    return true;
  } catch (error) {
    return !isSyntaxError(error);
  }
}

function isModule(source: string): boolean {
  // only there with the option that the thread is started with
  if ((SourceTextModule as unknown) === undefined) return true;
  try {
    void new SourceTextModule(source.replace(/^\uFEFF/, ''));
    return true;
  } catch (error) {
    return !isSyntaxError(error);
  }
}

/** What runs out of stack or memory says nothing of the text. */
function isSyntaxError(error: unknown): boolean {
  return error instanceof Error && error.name === 'SyntaxError';
}

/** What turns a text into JavaScript before Node sees it. What has one of these may hold any language. */
export const TRANSLATING =
  /\brequire\.extensions\b|\b_extensions\b|\baddHook\s{0,2}\(|\b_compile\s{0,4}=[^=]|['"](?:[^'"\n]{0,80}[-/]register|pirates|jiti|esm|sucrase|tsx|ts-node)['"/]/;
