import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf, sha256Hex, type Files } from '../../kernel/index.ts';
import type { PlaybookLibrary } from '../../domains/healing/index.ts';
import { PlaybookInvalid, type Playbook } from '../../domains/playbooks/index.ts';
import { treatAsModule } from './module-files.ts';

const RISKS = new Set(['low', 'medium', 'high', 'critical']);
const TIERS = new Set(['tier_1', 'tier_2', 'tier_3', 'tier_4']);
const FILE = /^[a-z][a-z0-9_]*\.ts$/;

let isHooked = false;

/**
 * The playbooks beside the config: TypeScript that Node loads as it is. `grace-runtime` resolves to this very Grace,
 * whether or not the service has installed it.
 * @param graceUrl   the module that `import … from 'grace-runtime'` means
 */
export function playbookLibrary(dir: string, graceUrl: string, files: Files): PlaybookLibrary {
  if (!isHooked) {
    isHooked = true;
    registerHooks({
      resolve: (specifier, context, next) =>
        specifier === 'grace-runtime' ? { url: graceUrl, shortCircuit: true } : next(specifier, context),
    });
  }
  treatAsModule(`${dir}/`);
  const hash = async (file: string): Promise<string | null> => {
    const content = await files.read(file);
    return content === null ? null : sha256Hex(content);
  };
  return {
    async write(name, source) {
      await files.makeDir(dir);
      const file = join(dir, `${name}.ts`);
      await files.writeAtomic(file, source);
      return { file, hash: sha256Hex(source) };
    },
    async load(file) {
      const found = await hash(file);
      if (found === null) throw new PlaybookInvalid(file, 'the file is gone');
      let module: { default?: unknown };
      try {
        // The hash in the URL: an edited file is another module.
        module = (await import(`${pathToFileURL(file).href}?v=${found.slice(0, 16)}`)) as { default?: unknown };
      } catch (error) {
        throw new PlaybookInvalid(file, `does not compile or load: ${messageOf(error).split('\n')[0] ?? ''}`, error);
      }
      return { playbook: checked(file, module.default), hash: found };
    },
    hash,
    async files() {
      return (await files.list(dir)).filter((name) => FILE.test(name)).map((name) => join(dir, name));
    },
  };
}

function checked(file: string, value: unknown): Playbook {
  const p = value as Partial<Playbook> | null | undefined;
  if (p === null || p === undefined || typeof p !== 'object')
    throw new PlaybookInvalid(file, 'has no default export made with definePlaybook({…})');
  if (typeof p.name !== 'string' || !/^[a-z][a-z0-9_]*$/.test(p.name)) throw new PlaybookInvalid(file, 'its name must be snake_case');
  if (!RISKS.has(p.risk ?? '')) throw new PlaybookInvalid(file, 'its risk must be low, medium, high or critical');
  if (!TIERS.has(p.tier ?? '')) throw new PlaybookInvalid(file, 'its tier must be tier_1, tier_2, tier_3 or tier_4');
  if (typeof p.run !== 'function') throw new PlaybookInvalid(file, 'it has no run(ctx)');
  return { description: '', service: 'boot_pipeline', match: {}, params: {}, ...p } as Playbook;
}
