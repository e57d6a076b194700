import { installedPackage } from './installed-package.ts';
import { before, lineAt, named, rule, type Draft, type Reader } from './rule.ts';

/** Compiled parts of packages that were built for another machine, another runtime, or not at all. */
export const nativeModules: Reader = {
  runtime: 'unknown',
  rules: [
    // PHP tries several paths for an extension of its own, and says that none of them can be opened.
    rule(
      ['Unable to load dynamic library '],
      /Unable to load dynamic library '(?:[\w./-]{0,200}\/)?([\w-]{1,60})(?:\.so)?'/,
      ([, name = '']) => ({
        kind: 'runtime_extension_missing',
        subject: name,
        code: 'php_extension',
        details: { isWarning: true },
        runtime: 'php',
      }),
    ),
    rule(
      ['Could not load the "sharp" module'],
      /Could not load the "(sharp)" module using the ([\w-]{1,40}) runtime/,
      ([, name = '', platform = '']) => ({
        kind: 'native_module_broken',
        subject: name,
        code: 'ERR_DLOPEN_FAILED',
        details: { platform },
        runtime: 'node',
      }),
    ),
    rule(
      ['npm has a bug related to optional dependencies', '-linux-', '-darwin-', '-win32-'],
      /Cannot find (?:module|package) '((?:@[\w.-]{1,60}\/)?[\w.-]{1,60}-(?:linux|darwin|win32)[\w-]{1,30})'/,
      ([, name = '']) => ({
        kind: 'native_module_broken',
        subject: name,
        code: 'MODULE_NOT_FOUND',
        details: { reason: 'optional dependency not installed' },
        runtime: 'node',
      }),
    ),
    // The message goes on below: "was compiled against a different Node.js version using NODE_MODULE_VERSION 115".
    rule(["The module '"], /The module '([^']{1,300})'$/, ([, path = ''], place) =>
      lineAt(place, 1).startsWith('was compiled against')
        ? {
            kind: 'native_module_broken',
            subject: packageOf(path),
            code: 'ERR_DLOPEN_FAILED',
            details: { path, reason: 'node version' },
            runtime: 'node',
          }
        : null,
    ),
    rule(['was compiled against a different Node.js version'], /was compiled against a different Node\.js version/, (_, place) => {
      const path = (/The module '([^']{1,300})'/.exec(lineAt(place, 0)) ?? before(place, 2, /The module '([^']{1,300})'/))?.[1] ?? '';
      return {
        kind: 'native_module_broken',
        subject: packageOf(path),
        code: 'ERR_DLOPEN_FAILED',
        details: named({ path, reason: 'node version' }),
        runtime: 'node',
      };
    }),
    rule(
      ['GLIBC', 'GLIBCXX', 'CXXABI'],
      /version [`'"]?((?:GLIBC(?:XX)?|CXXABI)_[\d.]{1,12})['"]? not found(?: \(required by ([^)]{1,300})\))?/,
      ([, version = '', by = '']) => ({
        kind: 'library_too_old',
        subject: version,
        code: 'GLIBC',
        details: named({ path: by, package: installedPackage(by) ?? undefined }),
      }),
    ),
    rule(
      ['cannot open shared object file'],
      /(?<![\w.+/-])([\w.+/-]{1,200}\.so(?:\.\d{1,4}){0,4}): cannot open shared object file/,
      ([, library = ''], place) =>
        // What a server was told to load is an extension of it, not a library of the system.
        /dlopen\(\) "|# Module \S{1,300} failed to load|shared library '/.test(lineAt(place, 0))
          ? null
          : { kind: 'library_missing', subject: library, code: 'ENOENT' },
    ),
    rule(
      [
        'invalid ELF header',
        'wrong ELF class',
        'file too short',
        'not a mach-o file',
        'is not a valid Win32 application',
        'incompatible architecture',
        'undefined symbol: ',
        'cannot allocate memory in static TLS block',
      ],
      /(?<![\w@.+/-])([\w@.+/-]{1,300}\.(?:node|so)(?:\.\d{1,4}){0,4}): (invalid ELF header|wrong ELF class|file too short|undefined symbol|cannot allocate memory in static TLS block)|(incompatible architecture|not a mach-o file|is not a valid Win32 application)/,
      ([, path = '', reason = '', other = '']) => ({
        kind: 'native_module_broken',
        subject: packageOf(path),
        code: 'ERR_DLOPEN_FAILED',
        details: named({ path, reason: reason || other }),
      }),
    ),
    rule(
      ['Could not locate the bindings file', 'No native build was found for'],
      /Could not locate the bindings file|No native build was found for platform=(\w{1,20})/,
      (_, place) => {
        const path =
          /(?:→|loaded from:) {1,3}(\S{1,300})/.exec(place.lines[place.at + 2]?.text ?? place.lines[place.at + 1]?.text ?? '')?.[1] ?? '';
        return {
          kind: 'native_module_broken',
          subject: packageOf(path),
          code: 'MODULE_NOT_FOUND',
          details: named({ path, reason: 'not built' }),
          runtime: 'node',
        };
      },
    ),
    rule(
      ['xec format error', 'ENOEXEC', 'cannot execute binary file'],
      /(?<![\w@.+/-])([\w@.+/-]{1,300})"?: (?:cannot execute binary file|[Ee]xec format error)|[Ee]xec format error: '([^']{1,300})'|\bspawn(?:Sync)? (\S{1,300}) ENOEXEC/,
      ([, path = '', python = '', node = '']) => foreignProgram(path || python || node),
    ),
    rule(["code: 'ERR_DLOPEN_FAILED'"], /ERR_DLOPEN_FAILED/, () => ({
      kind: 'native_module_broken',
      code: 'ERR_DLOPEN_FAILED',
      runtime: 'node',
    })),
  ],
};

/** The package a compiled file belongs to; the file itself when it is in none. */
function packageOf(path: string): string {
  return installedPackage(path) ?? path;
}

/** A program of a package is installed again; any other is for whoever built it. */
function foreignProgram(path: string): Draft {
  const name = installedPackage(path);
  return name === null
    ? { kind: 'wrong_architecture', subject: path, code: 'ENOEXEC' }
    : { kind: 'native_module_broken', subject: name, code: 'ENOEXEC', details: { reason: 'built for another architecture' } };
}
