import { join } from 'node:path';
import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { CAREFUL, diagnosis, LIKELY, linesOf, remedy, step, SURE } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { shownPath } from './places.ts';
import { manifestsAbove } from './project-manifest.ts';

/** A package whose code is generated from the project's own schema was installed, and nothing has generated it. */
export const clientNotGenerated: FailureFamily = {
  name: 'client_not_generated',
  title: 'generated code has not been generated',
  async diagnose(c) {
    const facts = factsOf(c, 'client_not_generated');
    const [fact] = facts;
    if (fact === undefined) return [];
    const cause = `the code of ${fact.subject} is generated from the schema, and has not been generated since its packages were installed`;
    for (const { directory } of await manifestsAbove(c, join(c.component.cwd, 'package.json'))) {
      const tool = join(directory, 'node_modules', '.bin', 'prisma');
      if ((await c.files.stat(tool)) === null) continue;
      const name = `generate the code of ${fact.subject} with prisma generate`;
      return [
        diagnosis('client_not_generated', {
          cause,
          confidence: SURE,
          evidence: [...linesOf(facts), `${shownPath(c.component, tool)} is there`],
          remedy: remedy('generate_prisma_client', name, CAREFUL, [step(name, 'generate_client', { directory, tool: 'prisma' })]),
          advice: ['run prisma generate, best after every install: as "postinstall" in package.json'],
        }),
      ];
    }
    return [
      diagnosis('client_not_generated', {
        cause: `${cause}; its tool prisma is not installed here`,
        confidence: LIKELY,
        evidence: linesOf(facts),
        advice: [
          'run prisma generate where its packages are installed, and deploy what it makes',
          'or make prisma a dependency, not a devDependency',
        ],
      }),
    ];
  },
  guard: (g) => guardOfSteps('client_not_generated', g),
};
