import type { ConfigFormat, TextProblem } from '../../domains/preflight/index.ts';

/** Of one text: after these nobody reads on. */
const PROBLEMS_MAX = 20;

/** What is wrong inside a text. A text that goes too deep for its parser is broken: it is too deep for others, too. */
export async function lintText(format: ConfigFormat, text: string): Promise<readonly TextProblem[]> {
  const plain = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const nul = plain.indexOf('\0');
  if (nul >= 0) return [{ kind: 'broken', code: 'config_broken', message: 'holds null bytes', ...placeOf(plain, nul) }];
  try {
    const lint = await LINTS[format]();
    return lint(plain).slice(0, PROBLEMS_MAX);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [{ kind: 'broken', code: 'config_broken', message: 'is nested too deeply to be read', line: 1, column: 1 }];
  }
}

/** Each parser is loaded with the first text of its kind. */
const LINTS = {
  json: async () => (await import('./json.ts')).lintJson,
  yaml: async () => (await import('./yaml.ts')).lintYaml,
  toml: async () => (await import('./toml.ts')).lintToml,
  ini: async () => (await import('./ini.ts')).lintIni,
  env: async () => (await import('./env-lines.ts')).lintEnv,
  script: async () => (await import('./script.ts')).lintScript,
} as const satisfies Record<ConfigFormat, () => Promise<(text: string) => readonly TextProblem[]>>;

/** Counted from 1, columns in characters. */
export function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0 && end < offset; end = text.indexOf('\n', start)) {
    line++;
    start = end + 1;
  }
  return { line, column: offset - start + 1 };
}
