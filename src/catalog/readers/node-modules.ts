import { before, lineAt, named, rule, type Place, type Reader } from './rule.ts';

/** Where Node shows the place of an error: the line above the code. */
const SHOWN_PLACE = /^(?:file:\/\/)?(\/.{1,300}):\d{1,7}$/;

function shownPath(place: Place): string {
  return before(place, 6, SHOWN_PLACE)?.[1] ?? '';
}

/** The two module systems of Node, and the languages it cannot read by itself. */
export const nodeModules: Reader = {
  runtime: 'node',
  rules: [
    rule(
      ['Cannot use import statement outside a module', "Unexpected token 'export'", "Cannot use 'import.meta' outside a module"],
      /SyntaxError: (?:Cannot use import statement outside a module|Unexpected token 'export'|Cannot use 'import\.meta' outside a module)/,
      (_, place) => ({
        kind: 'module_system_mismatch',
        subject: shownPath(place),
        code: 'import_in_commonjs',
        details: { wants: 'module' },
      }),
    ),
    rule(
      ['is not defined in ES module scope'],
      /ReferenceError: (require|module|exports|__dirname|__filename) is not defined in ES module scope/,
      ([, name = ''], place) => ({
        kind: 'module_system_mismatch',
        subject: shownPath(place),
        code: 'commonjs_in_module',
        details: { wants: 'commonjs', name },
      }),
    ),
    rule(
      ['require() of ES Module '],
      /require\(\) of ES Module (\/\S{1,300}) (?:from (\/\S{1,300}) )?not supported/,
      ([, path = '', from = '']) => ({
        kind: 'module_system_mismatch',
        subject: path,
        code: 'ERR_REQUIRE_ESM',
        details: named({ wants: 'module', from }),
      }),
    ),
    rule(
      ['Error [ERR_REQUIRE_ASYNC_MODULE]', 'Error [ERR_REQUIRE_ESM]'],
      /Error \[(ERR_REQUIRE_ASYNC_MODULE|ERR_REQUIRE_ESM)\]/,
      ([, code = ''], place) => ({
        kind: 'module_system_mismatch',
        subject: requiredModule(place),
        code,
        details: { wants: 'module' },
      }),
    ),
    rule(
      ['Unknown file extension "'],
      /Unknown file extension "(\.\w{1,10})" for (\/.{1,300}?)(?: imported from .{1,300})?$/,
      ([, extension = '', path = '']) => ({
        kind: 'module_system_mismatch',
        subject: path,
        code: 'ERR_UNKNOWN_FILE_EXTENSION',
        details: { wants: /^\.[cm]?tsx?$/.test(extension) ? 'typescript' : extension },
      }),
    ),
    rule(
      ['ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX', 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING'],
      /Error \[(ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX|ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING)\]/,
      ([, code = ''], place) => ({
        kind: 'module_system_mismatch',
        subject: before(place, 8, SHOWN_PLACE)?.[1] ?? '',
        code,
        details: { wants: 'typescript' },
      }),
    ),
    rule(
      ['needs an import attribute of', "Unexpected identifier 'assert'"],
      /Module "(?:file:\/\/)?([^"]{1,300})" needs an import attribute of|SyntaxError: Unexpected identifier 'assert'/,
      ([, path = ''], place) => ({
        kind: 'module_system_mismatch',
        subject: path || shownPath(place),
        code: 'ERR_IMPORT_ATTRIBUTE_MISSING',
        details: { wants: 'attribute' },
      }),
    ),
    rule(['Must use import to load ES Module: '], /Must use import to load ES Module: (\/.{1,300})/, ([, path = '']) => ({
      kind: 'module_system_mismatch',
      subject: path,
      code: 'ERR_REQUIRE_ESM',
      details: { wants: 'module' },
    })),
    // What those tell beside it.
    rule(
      ['(Use `node --trace-warnings', 'To load an ES module, set "type"', 'Failed to load the ES module: '],
      /^\(node:\d{1,10}\) Warning: (?:To load an ES module|Failed to load the ES module)/,
      () => [],
    ),
  ],
};

/** `Requiring /srv/app/node_modules/x/index.js`, `Required module: …`, on one of the next lines. */
function requiredModule(place: Place): string {
  for (let offset = 1; offset <= 3; offset++) {
    const found = /^\s{0,4}(?:Requiring|Required module:) (\/\S{1,300})/.exec(lineAt(place, offset))?.[1];
    if (found) return found;
  }
  return '';
}
