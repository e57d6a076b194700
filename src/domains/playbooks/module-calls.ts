/**
 * What one module of a program says of its asynchronous functions and of who starts them, found without running it. A name
 * is `f` for a function, `C.m` for a method, and `C.a` for what an object of a class keeps as `a`.
 */
export interface ModuleCalls {
  /** Functions and methods whose call gives a promise or a coroutine. */
  readonly asyncs: readonly string[];
  readonly classes: readonly string[];
  /** Name here → the class it is made of, by its name here. */
  readonly instances: readonly (readonly [string, string])[];
  /** Name here, specifier of the module, name there: `*` for the module itself, `default`. */
  readonly imports: readonly (readonly [string, string, string])[];
  /** Name for others → name here. */
  readonly exports: readonly (readonly [string, string])[];
  /** Calls whose result nothing takes: what is called, and where. */
  readonly dropped: readonly DroppedCall[];
}

export interface DroppedCall {
  /** `f`; or what stands before the point, and the name behind it. */
  readonly callee: readonly [string] | readonly [string, string];
  readonly line: number;
}

/**
 * @returns by path; what is no JavaScript or TypeScript that can be read without a compiler is not among them
 * @throws the reason of the signal
 */
export type ReadModules = (paths: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, ModuleCalls>>;
