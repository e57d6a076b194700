import { nodeFiles } from '../../adapters/node/files.ts';
import type { CoreChecks } from '../../domains/boot/index.ts';
import type { LastGoodKeeper } from '../../domains/learning/index.ts';
import type { HostView } from '../../domains/playbooks/index.ts';
import type { Finding } from '../../domains/preflight/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { knowledge } from '../load-knowledge.ts';
import type { Repositories } from '../repositories.ts';
import type { ComponentLaunches } from './component-launches.ts';

export interface LearnedGuardsOptions {
  readonly components: readonly ComponentSpec[];
  readonly incidents: Pick<Repositories['incidents'], 'patterns'>;
  readonly playbooks: Pick<Repositories['playbooks'], 'get'>;
  readonly environmentOf: ComponentLaunches['environmentOf'];
  readonly lastGood: LastGoodKeeper;
  readonly view: HostView;
}

/** Asks the guards of everything learned so far whether it is about to return. */
export function learnedGuards(options: LearnedGuardsOptions): CoreChecks['guards'] {
  const { components, playbooks, lastGood } = options;
  return async (spec) => {
    const patterns = (await options.incidents.patterns()).filter(
      (p) => p.component === spec.name && p.playbook !== null && p.state !== 'new',
    );
    if (patterns.length === 0) return [];
    const { families } = await knowledge();
    const drift = await lastGood.drift(spec, []);
    const env = await options.environmentOf(spec);
    const findings = new Map<string, Finding>();
    for (const pattern of patterns) {
      const registered = pattern.playbook === null ? null : await playbooks.get(pattern.playbook);
      const family = families.find((f) => f.name === (registered?.family ?? pattern.familyName));
      if (registered === null || !registered.isEnabled || family?.guard === null || family === undefined) continue;
      // What was learned from a person has to have run once before it acts beforehand.
      if (registered.origin === 'learned' && pattern.state === 'candidate') continue;
      const found = await family.guard({
        component: spec,
        components,
        env,
        steps: registered.steps,
        drift,
        host: options.view,
        files: nodeFiles,
        lastGood,
        playbook: registered.name,
        params: registered.params,
      });
      if (found !== null) findings.set(registered.name, { ...found, component: spec.name });
    }
    return [...findings.values()];
  };
}
