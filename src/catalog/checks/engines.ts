import { basename } from 'node:path';
import type { Check, Finding } from '../../domains/preflight/index.ts';
import { found, listed } from './found.ts';
import { graphsOf, startsNode } from './imports.ts';

/** Raised with each change of what is said. */
const VERSION = 1;

/**
 * The version of Node that the service, its version files and its packages ask for. Most run on others as well, so it is an error only
 * where the project itself is strict about it.
 */
export const engines: Check = {
  name: 'engines',
  title: 'version of Node',
  timeLimitMs: 25_000,
  when: 'beside_start',
  isNeeded: startsNode,
  inputs: async (context) => JSON.stringify([VERSION, (await graphsOf(context)).map(({ spec, graph }) => [spec.name, graph.engines])]),
  async run(context) {
    const findings: Finding[] = [];
    for (const { spec, graph } of await graphsOf(context)) {
      for (const { file, wanted, has, isStrict } of graph.engines.filter((one) => one.package === null))
        findings.push(
          found(context, {
            severity: isStrict ? 'error' : 'warn',
            code: 'node_version_differs',
            component: spec.name,
            file,
            message: `asks for Node ${wanted}, and the service is started with ${has}`,
            hint:
              basename(file) === 'package.json'
                ? 'start it with that Node, or correct "engines"'
                : `nvm install ${wanted}, or correct the file`,
          }),
        );
      const packages = graph.engines.filter((one) => one.package !== null);
      if (packages.length > 0)
        findings.push(
          found(context, {
            severity: 'warn',
            code: 'package_wants_other_node',
            component: spec.name,
            message: `is started with Node ${packages[0]?.has ?? ''}, and packages ask for another: ${listed(packages.map((one) => `${one.package ?? ''} (${one.wanted})`))}`,
            hint: 'start it with a Node that all of them name, or install versions that fit',
          }),
        );
    }
    return findings;
  },
};
