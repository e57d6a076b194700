// Everything that is only needed when something fails, in one module that is loaded then.
export { contentValidity } from '../catalog/content-validity.ts';
export { families } from '../catalog/families/index.ts';
export { readFacts } from '../catalog/readers/index.ts';
export { primitives } from '../primitives/index.ts';
