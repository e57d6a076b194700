import type { AnyNode } from 'acorn';

/**
 * What a call does to the requests after it. `survives`: what they throw ends nothing, since somebody catches what nobody catches.
 * `makes`: a file they ask for may be there only then.
 */
export type CallEffect = 'survives' | 'makes' | null;

const CATCHES = /^(?:uncaughtException|unhandledRejection)$/;
const MAKES =
  /^(?:writeFile|appendFile|copyFile|cp|rename|symlink|link|createWriteStream|outputFile|outputJson|writeJson|copy|exec|execFile|spawn|execa|execaCommand)(?:Sync)?$/;
const ENDS = /"name":"(?:exit|kill|abort|reallyExit)"|"type":"ThrowStatement"/;

export function effectOf(node: AnyNode & { type: 'CallExpression' | 'NewExpression' }): CallEffect {
  const { callee, arguments: given } = node;
  const name =
    callee.type === 'Identifier'
      ? callee.name
      : callee.type === 'MemberExpression' && callee.property.type === 'Identifier'
        ? callee.property.name
        : '';
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
  return ENDS.test(JSON.stringify(handler, (key, value: unknown) => (key === 'loc' || typeof value === 'bigint' ? undefined : value)));
}
