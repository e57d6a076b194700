import { printParseErrorCode, visit } from 'jsonc-parser';
import type { TextProblem } from '../../domains/preflight/index.ts';
import { brokenAt, placeholderAt, twiceAt } from './text-problem.ts';

/** With comments and trailing commas: many programs accept those in their `.json` files. */
export function lintJson(text: string): readonly TextProblem[] {
  if (text.trim() === '') return [brokenAt({ line: 1, column: 1 }, 'is empty')];
  const broken: TextProblem[] = [];
  const doubtful: TextProblem[] = [];
  const objects: Map<string, number>[] = [];
  let name: string | null = null;
  visit(
    text,
    {
      onObjectBegin() {
        objects.push(new Map());
        name = null;
      },
      onObjectEnd() {
        objects.pop();
        name = null;
      },
      onArrayBegin() {
        name = null;
      },
      onObjectProperty(property, _offset, _length, line, column) {
        const place = { line: line + 1, column: column + 1 };
        const first = objects.at(-1)?.get(property);
        // package.json and its like keep their comments under such a name
        if (first !== undefined && property !== '//') doubtful.push(twiceAt(place, property, first));
        objects.at(-1)?.set(property, first ?? place.line);
        name = property;
      },
      onLiteralValue(value, _offset, _length, line, column) {
        const found = name === null ? null : placeholderAt({ line: line + 1, column: column + 1 }, name, value);
        if (found !== null) doubtful.push(found);
        name = null;
      },
      onError(code, _offset, _length, line, column) {
        broken.push(brokenAt({ line: line + 1, column: column + 1 }, `is no JSON here: ${inWords(printParseErrorCode(code))}`));
      },
    },
    { allowTrailingComma: true },
  );
  // Everything after the first is what the parser made of it.
  return broken.length > 0 ? broken.slice(0, 1) : doubtful;
}

/** `CommaExpected` as `comma expected`. */
function inWords(code: string): string {
  return code
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace('<unknown parse error code>', 'it cannot be read');
}
