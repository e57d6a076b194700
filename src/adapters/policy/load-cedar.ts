import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Cedar's own functions; what they parse is kept inside them, by name, for as long as this process lives. */
export type Cedar = Pick<
  typeof import('@cedar-policy/cedar-wasm/web'),
  'validate' | 'policySetTextToParts' | 'policyToJson' | 'preparsePolicySet' | 'statefulIsAuthorized'
>;

let loaded: Promise<Cedar> | undefined;

/** Loads Cedar when the first decision needs it: four megabytes of WebAssembly, which most boots do without. */
export function loadCedar(): Promise<Cedar> {
  loaded ??= instantiate();
  return loaded;
}

async function instantiate(): Promise<Cedar> {
  const [cedar, bytes] = await Promise.all([import('@cedar-policy/cedar-wasm/web'), readFile(wasmFile())]);
  cedar.initSync({ module: bytes });
  return cedar;
}

/** In the package where Grace runs from its source, beside the chunks where it was bundled. */
function wasmFile(): string | URL {
  return import.meta.url.endsWith('.ts')
    ? join(createRequire(import.meta.url).resolve('@cedar-policy/cedar-wasm/nodejs'), '../../web/cedar_wasm_bg.wasm')
    : new URL('../cedar.wasm', import.meta.url);
}
