import { join } from 'node:path';
import { factsOf, type CaseFile, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY, SURE } from './answer.ts';

const TSCONFIG_BYTES_MAX = 256 * 1024;
/** `@/config`, `~/config`: no package can have such a name. */
const NO_PACKAGE = /^[@~]\//;

/** Code imports by an alias of tsconfig.json, which the compiler knows and Node does not. */
export const pathAliasUnresolved: FailureFamily = {
  name: 'path_alias_unresolved',
  title: 'an alias for a path was not resolved',
  async diagnose(c) {
    const aliases = await aliasesOf(c);
    const fact = factsOf(c, 'module_missing').find(
      (f) => f.runtime === 'node' && (NO_PACKAGE.test(f.subject) || aliases.some((a) => isBehind(a, f.subject))),
    );
    if (fact === undefined) return [];
    const isKnown = aliases.some((alias) => isBehind(alias, fact.subject));
    return [
      diagnosis('path_alias_unresolved', {
        cause: `${fact.subject} is an alias for a path${isKnown ? ' of tsconfig.json' : ''}, which Node does not know`,
        confidence: isKnown ? SURE : LIKELY,
        evidence: [fact.line],
        advice: [
          'let the build write real paths: tsc-alias, or a bundler',
          'or use "imports" of package.json, with names that begin with #, which Node knows',
        ],
      }),
    ];
  },
  guard: null,
};

/** The keys of `compilerOptions.paths`; a file with comments is read as far as this needs. */
async function aliasesOf(c: CaseFile): Promise<readonly string[]> {
  const content = (await c.files.readText(join(c.component.cwd, 'tsconfig.json'), TSCONFIG_BYTES_MAX)) ?? '';
  const paths = /"paths"\s{0,20}:\s{0,20}\{([^}]{0,4000})\}/.exec(content)?.[1] ?? '';
  return [...paths.matchAll(/"([^"\n]{1,100})"\s{0,20}:/g)].map((found) => found[1] ?? '');
}

/** `@app/*` is in front of `@app/config`; a lone `*` would be everything. */
function isBehind(alias: string, subject: string): boolean {
  const prefix = alias.endsWith('*') ? alias.slice(0, -1) : null;
  return prefix === null ? subject === alias : prefix !== '' && subject.startsWith(prefix);
}
