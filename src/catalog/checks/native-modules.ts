import type { Check, Finding, NativeProblem } from '../../domains/preflight/index.ts';
import { found } from './found.ts';
import { graphsOf, startsNode } from './imports.ts';

/** Raised with each change of what is said. */
const VERSION = 2;

/** Native modules that the service's Node cannot load: other processor, C library or ABI, or a shared library that is nowhere. None is loaded. */
export const nativeModules: Check = {
  name: 'native_modules',
  title: 'native modules',
  timeLimitMs: 25_000,
  when: 'beside_start',
  isNeeded: startsNode,
  inputs: async (context) => JSON.stringify([VERSION, (await graphsOf(context)).map(({ spec, graph }) => [spec.name, graph.native])]),
  async run(context) {
    const findings: Finding[] = [];
    for (const { spec, graph } of await graphsOf(context))
      for (const problem of graph.native) {
        const { message, hint } = say(problem, graph.node?.version ?? 'the service');
        const severity = problem.isSure ? 'error' : 'warn';
        findings.push(found(context, { severity, code: problem.kind, component: spec.name, file: problem.file, message, hint }));
      }
    return findings;
  },
};

function say({ kind, package: name, has, wanted }: NativeProblem, version: string): { readonly message: string; readonly hint: string } {
  const rebuild = `npm rebuild ${name}`;
  switch (kind) {
    case 'native_missing':
      return {
        message: `holds "${name}" without its native module for this machine (${wanted})`,
        hint: `${rebuild}, with install scripts allowed`,
      };
    case 'native_package_missing':
      return {
        message: `holds "${name}" without ${wanted}, which the lock file has for this machine`,
        hint: 'npm ci on this machine, and not without optional packages',
      };
    case 'native_architecture':
      return { message: `of "${name}" is built for ${has}, and Node runs on ${wanted}`, hint: `install on this machine: ${rebuild}` };
    case 'native_libc':
      return { message: `of "${name}" needs ${has}, and this machine has ${wanted}`, hint: `install on this machine: ${rebuild}` };
    case 'native_abi':
      return { message: `of "${name}" is built for ABI ${has}, and Node ${version} has ABI ${wanted}`, hint: rebuild };
    case 'native_library':
      return {
        message: `of "${name}" needs ${has}, which is nowhere on this machine`,
        hint: `install the package of the system that has ${has}`,
      };
    case 'native_broken':
      return { message: `of "${name}" is no whole binary`, hint: rebuild };
  }
}
