import { after, rule, type Draft, type Reader } from './rule.ts';

/** What compilers of TypeScript and JavaScript say of code that they do not take: tsc, ts-node, nest, esbuild, tsx, swc. */
export const typescript: Reader = {
  runtime: 'node',
  rules: [
    // `src/a.ts(2,7): error TS2322: …`, and `src/a.ts:2:7 - error TS2322: …` for terminals
    rule(
      [': error TS', ' - error TS'],
      /^\s{0,4}([\w@./\\+~ -]{1,300}\.(?:[cm]?tsx?|vue|svelte|json))(?:\((\d{1,7}),\d{1,5}\):|:(\d{1,7}):\d{1,5} -) error (TS\d{1,5}): (.{1,300})/,
      // A module that is not found is a missing package or file, whoever says so.
      ([, path = '', line = '', other = '', code = '', message = '']) =>
        code === 'TS2307' ? null : compileError(path, Number(line || other), code, message),
    ),
    rule(['error TS'], /^\s{0,4}error (TS\d{1,5}): (.{1,300})/, ([, code = '', message = '']) => ({
      kind: 'compile_error',
      subject: /'([^']{1,300}\.json)'/.exec(message)?.[1] ?? '',
      code,
      details: { message },
    })),
    // esbuild, and with it tsx and vite
    rule([': ERROR: '], /^\s{0,4}([\w@./\\+~-]{1,300}):(\d{1,7}):\d{1,5}: ERROR: (.{1,300})/, ([, path = '', line = '', message = '']) =>
      compileError(path, Number(line), 'esbuild', message),
    ),
    // The headlines above them
    rule(
      ['Unable to compile TypeScript', 'Transform failed with ', 'Build failed with '],
      /(?:TSError: .{0,4}Unable to compile TypeScript|Error: (?:Transform|Build) failed with \d{1,5} errors?):/,
      // The errors themselves stand below it, or somebody else says them.
      (_, place) => (after(place, 4, /: ERROR: |error TS\d/) ? [] : null),
    ),
  ],
};

function compileError(path: string, line: number, code: string, message: string): Draft {
  return { kind: 'compile_error', subject: path.replace(/^\.\//, ''), code, details: { line, message, language: 'typescript' } };
}
