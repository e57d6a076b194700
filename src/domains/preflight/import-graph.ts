/** Whose modules are looked at. */
export interface ImportOrder {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Counted from 1. */
export interface ImportPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * A link of the graph that does not hold.
 * - `missing_package`: no folder of that name in any `node_modules` above the importer
 * - `missing_file`: the path leads to nothing, or to a directory where Node takes none
 * - `hidden_path`: the package is there, and its `exports` or `imports` do not name the path
 * - `missing_export`: the module is there, and has no export of that name
 * - `needs_import`: CommonJS requires an ES module, and the service's Node cannot do that
 * - `syntax`: the module is no JavaScript, or no TypeScript, for the service's Node; `name` is what that says of it
 * - `early_read`: in a circle of imports a binding is read before its module has run
 */
export type ImportProblemKind =
  | 'missing_package'
  | 'missing_file'
  | 'hidden_path'
  | 'missing_export'
  | 'needs_import'
  | 'syntax'
  | 'early_read';

export interface ImportProblem {
  readonly kind: ImportProblemKind;
  /** The service cannot start: from its entry to here every import is static, or a `require` that nothing guards. */
  readonly isSure: boolean;
  readonly place: ImportPlace;
  /** As it is written in the source. */
  readonly specifier: string;
  /** The name that is not exported, or is read too early. */
  readonly name: string | null;
  /** What there is instead: a file of nearly that name, an export of nearly that name. */
  readonly nearest: string | null;
  /** Of a package: how the project's package.json and lock speak of it. */
  readonly declared: 'dependency' | 'dev_dependency' | 'optional' | 'locked' | 'nowhere' | null;
  /** The module that is linked to, where there is one. */
  readonly target: string | null;
  /** Modules from the entry to the place, both included. */
  readonly path: readonly string[];
}

/**
 * A native module that the service's Node cannot load.
 * - `native_missing`: the package has no binary for this machine
 * - `native_package_missing`: its binary for this machine is a package of its own, which the lock file has and nobody installed
 * - `native_architecture`, `native_libc`, `native_abi`: it was built for another processor, C library or version of Node
 * - `native_library`: a shared library that it needs is nowhere
 * - `native_broken`: it is no binary that Linux loads
 */
export interface NativeProblem {
  readonly kind:
    | 'native_missing'
    | 'native_package_missing'
    | 'native_architecture'
    | 'native_libc'
    | 'native_abi'
    | 'native_library'
    | 'native_broken';
  readonly isSure: boolean;
  readonly package: string;
  readonly file: string;
  /** What it was built for, or needs. */
  readonly has: string;
  /** What there is. */
  readonly wanted: string;
}

/** A version of Node that somebody asks for and the service does not have. */
export interface EngineProblem {
  /** A file that says so: package.json, .nvmrc, .node-version. */
  readonly file: string;
  /** null for the service itself. */
  readonly package: string | null;
  readonly wanted: string;
  readonly has: string;
  /** `engine-strict` is set: package managers refuse, and so should a release. */
  readonly isStrict: boolean;
}

/** What the modules of one service are linked to, found without running any of them. */
export interface ImportGraph {
  /** The Node the service runs on: its version, and the ABI its native modules are built for. */
  readonly node: { readonly version: string; readonly abi: string } | null;
  readonly entries: readonly string[];
  readonly moduleCount: number;
  readonly problems: readonly ImportProblem[];
  readonly native: readonly NativeProblem[];
  readonly engines: readonly EngineProblem[];
  /** A limit was reached, and what lies beyond was not looked at. */
  readonly isCut: boolean;
}

/** Looks at modules and runs none; answers of one boot are shared. */
export interface ImportGraphs {
  /** False where the command starts no Node, or its first module cannot be told. Cheap. */
  isNode(order: ImportOrder): boolean;
  /**
   * @returns null where `isNode` is false, or the first module is not there
   * @throws when the modules could not be read within time and memory
   */
  look(order: ImportOrder, signal: AbortSignal): Promise<ImportGraph | null>;
}
