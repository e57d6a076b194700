import type { AnyNode } from 'acorn';
import { childrenOf, nameOf } from './module-facts.ts';

/**
 * What a call does to the requests after it. `survives`: what they throw ends nothing, since somebody catches what nobody catches.
 * `makes`: a file they ask for may be there only then.
 */
export type CallEffect = 'survives' | 'makes' | null;

const CATCHES = /^(?:uncaughtException|unhandledRejection)$/;
const MAKES =
  /^(?:writeFile|appendFile|copyFile|cp|rename|symlink|link|createWriteStream|outputFile|outputJson|writeJson|copy|exec|execFile|spawn|execa|execaCommand)(?:Sync)?$/;
const ENDS = /^(?:exit|kill|abort|reallyExit)$/;

export function effectOf(node: AnyNode & { type: 'CallExpression' | 'NewExpression' }): CallEffect {
  const { callee, arguments: given } = node;
  const name =
    callee.type === 'Identifier' ? callee.name : callee.type === 'MemberExpression' && !callee.computed ? nameOf(callee.property) : '';
  if (name === 'setUncaughtExceptionCaptureCallback') return 'survives';
  if (/^(?:on|once|addListener|prependListener)$/.test(name)) {
    const [event, handler] = given;
    const isCaught = event?.type === 'Literal' && CATCHES.test(String(event.value));
    return isCaught && handler !== undefined && !ends(handler) ? 'survives' : null;
  }
  return MAKES.test(name) ? 'makes' : null;
}

/** A handler that ends the process, as most do after they have written it down. */
function ends(handler: AnyNode): boolean {
  const stack: AnyNode[] = [handler];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.type === 'ThrowStatement') return true;
    if (node.type === 'MemberExpression' && !node.computed && ENDS.test(nameOf(node.property))) return true;
    if (node.type === 'CallExpression' && node.callee.type === 'Identifier' && ENDS.test(node.callee.name)) return true;
    stack.push(...childrenOf(node));
  }
  return false;
}
