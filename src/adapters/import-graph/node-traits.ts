/** What the Node of a service is and can do; it is asked once. */
export interface NodeTraits {
  readonly version: string;
  /** `process.versions.modules`: native modules without Node-API are built for one. */
  readonly abi: string;
  readonly napi: number;
  readonly arch: string;
  /** `glibc` or `musl`; null where it is neither. */
  readonly libc: 'glibc' | 'musl' | null;
  /** `2.36`; null where there is none. */
  readonly glibc: string | null;
  readonly builtins: readonly string[];
  readonly requiresEsm: boolean;
  readonly stripsTypes: boolean;
  readonly detectsSyntax: boolean;
}

/** Written for every Node since 12; prints one line of JSON. */
export const TRAITS_PROGRAM = `
var m = require('module'), p = process, f = p.features || {}, v = p.versions.node.split('.').map(Number);
var only = ['node:sqlite', 'node:test', 'node:test/reporters', 'node:sea', 'node:quic', 'node:ffi', 'node:dtls', 'node:zlib/iter', 'node:vfs'].filter(function (n) {
  return m.isBuiltin ? m.isBuiltin(n) : false;
});
var r = p.report && p.report.getReport ? (function () { try { p.report.excludeNetwork = true; return p.report.getReport().header; } catch (e) { return {}; } })() : {};
p.stdout.write(JSON.stringify({
  version: p.versions.node, abi: p.versions.modules, napi: Number(p.versions.napi || 0), arch: p.arch,
  libc: r.glibcVersionRuntime ? 'glibc' : p.platform === 'linux' ? 'musl' : null,
  glibc: r.glibcVersionRuntime || null,
  builtins: m.builtinModules.concat(only), requiresEsm: f.require_module === true, stripsTypes: Boolean(f.typescript),
  detectsSyntax: v[0] > 22 || (v[0] === 22 && v[1] >= 7) || (v[0] === 20 && v[1] >= 19)
}));
`;

export function traitsIn(text: string): NodeTraits | null {
  try {
    const value = JSON.parse(text) as NodeTraits;
    return typeof value.version === 'string' && Array.isArray(value.builtins) ? value : null;
  } catch {
    return null; // a program of that name that is no Node
  }
}
