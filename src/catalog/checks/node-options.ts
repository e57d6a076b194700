/** What a command line of Node names, as far as it can be told. */
export interface NodeLine {
  /** Loaded before the main module; a word as it is written. */
  readonly preloads: readonly { readonly specifier: string; readonly how: 'require' | 'import'; readonly option: string }[];
  /** Without one of them Node ends at once. */
  readonly envFiles: readonly string[];
  /** null where it cannot be told, or none is run. */
  readonly main: string | null;
}

const PRELOAD = /^(-r|--require|--import|--loader|--experimental-loader)(?:=(.*))?$/s;
const WITH_VALUE =
  /^(?:-C|--conditions|--title|--env-file-if-exists|--input-type|--icu-data-dir|--max-http-header-size|--inspect-port|--stack-trace-limit|--watch-path|--disable-warning|--redirect-warnings|--trace-event-categories|--unhandled-rejections|--dns-result-order|--openssl-config|--tls-cipher-list|--localstorage-file|--secure-heap|--diagnostic-dir|--cpu-prof-dir|--heap-prof-dir)$/;
/** Of these it is known that the next word is not theirs. */
const ALONE =
  /^(?:--(?:no-)?(?:enable-source-maps|warnings|deprecation|inspect|inspect-brk|trace-warnings|trace-deprecation|trace-uncaught|trace-exit|throw-deprecation|experimental-[\w-]{2,60}|use-openssl-ca|use-bundled-ca|use-system-ca|preserve-symlinks|preserve-symlinks-main|expose-gc|abort-on-uncaught-exception|report-on-fatalerror|report-uncaught-exception|watch|cpu-prof|heap-prof|insecure-http-parser|pending-deprecation|verify-base-objects|zero-fill-buffers|network-family-autoselection)|--[\w-]{2,60}=.*)$/s;
const NO_SERVICE = /^(?:-e|--eval|-p|--print|-pe|-c|--check|-i|--interactive|--test|-h|--help|-v|--version|--build-sea)(?:=|$)/;

/** Reads the words behind `node`, and NODE_OPTIONS before them. What is not known ends it: nothing is guessed. */
export function readNodeLine(words: readonly string[], nodeOptions = ''): NodeLine {
  const preloads: NodeLine['preloads'][number][] = [];
  const envFiles: string[] = [];
  const read = (list: readonly string[]): string | null => {
    for (let at = 0; at < list.length; at++) {
      const word = list[at] ?? '';
      if (word === '--') return list[at + 1] ?? null;
      if (!word.startsWith('-')) return word;
      const [, option, inline] = PRELOAD.exec(word) ?? [];
      if (option !== undefined) {
        const specifier = inline ?? list[++at];
        if (specifier === undefined || specifier === '') return null;
        preloads.push({ specifier, how: option === '-r' || option === '--require' ? 'require' : 'import', option });
        continue;
      }
      const envFile = /^--env-file(?:=(.*))?$/s.exec(word);
      if (envFile !== null) {
        const file = envFile[1] ?? list[++at];
        if (file !== undefined && file !== '') envFiles.push(file);
      } else if (NO_SERVICE.test(word)) return null;
      else if (WITH_VALUE.test(word)) at++;
      else if (!ALONE.test(word)) return null;
    }
    return null;
  };
  // In quotes a word may hold what ends another: it is left alone then.
  if (!/["'\\]/.test(nodeOptions)) read(nodeOptions.split(/\s+/).filter(Boolean));
  return { main: read(words), preloads, envFiles };
}
