import { isTypeScript } from './service-entry.ts';
import type { ImportProblem } from '../../domains/preflight/index.ts';
import type { Spawner } from '../../kernel/index.ts';

/** Each is a Node that is started, and the first one has to be mended anyway. */
const FILES_MAX = 4;
const ASK_MS = 5000;

/** Takes out the types as Node does, and tells only of what is no TypeScript at all. */
const STRIP_PROGRAM = `
var m = require('module'), text = require('fs').readFileSync(process.argv[1], 'utf8');
try { m.stripTypeScriptTypes(text); } catch (e) {
  if (e && e.code === 'ERR_INVALID_TYPESCRIPT_SYNTAX') { process.stderr.write(String(e.stack)); process.exitCode = 65; }
}
`;

/** Asks the Node of the service about files that look malformed. Nothing in them is run. @returns the problems without those it does not see */
export async function confirmSyntax(
  problems: readonly ImportProblem[],
  node: string,
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  spawner: Spawner,
  signal: AbortSignal,
): Promise<readonly ImportProblem[]> {
  if (!problems.some(({ kind }) => kind === 'syntax')) return problems;
  // Its own options would load modules of the service.
  const { NODE_OPTIONS: _, ...plain } = env;
  const kept: ImportProblem[] = [];
  let asked = 0;
  for (const problem of problems) {
    if (problem.kind !== 'syntax') kept.push(problem);
    else if (asked++ < FILES_MAX) {
      const { file } = problem.place;
      const isTs = isTypeScript(file);
      const argv = isTs ? [node, '--no-warnings', '-e', STRIP_PROGRAM, file] : [node, '--check', file];
      const { exitCode, stderr } = await spawner.run(argv, { cwd, env: plain, timeoutMs: ASK_MS, signal });
      if (exitCode !== (isTs ? 65 : 1) || !SAID.test(stderr)) continue;
      const line = Number(/^[^\n]{0,4096}:(\d{1,7})\n/.exec(stderr)?.[1] ?? 1);
      kept.push({ ...problem, place: { file, line, column: 1 }, name: saidIn(stderr) });
    }
  }
  return kept;
}

const SAID = /^SyntaxError(?: \[\w{1,60}\])?: (.*)$/m;

/** The words of Node, where they look like no more than that; an identifier of the source may stand among them. */
function saidIn(stderr: string): string | null {
  const said = SAID.exec(stderr)?.[1] ?? '';
  return /^[\w '`,.()[\]{};:<>=+*/&|!?-]{1,100}$/.test(said) ? said : null;
}
