import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { RemedyStep } from '../../domains/playbooks/index.ts';
import { diagnosis, failsToWork, HARMLESS, linesOf, PERHAPS, PLAUSIBLE, remedy, step, SURE } from './answer.ts';
import { envFilesOf, exampleOf, isPlaceholder, keysInFile, keysInLastGood } from './env-text.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { isOwn, nameSlug, shownPath } from './places.ts';

type Source = 'last_good' | 'example' | 'generate';
interface Origin {
  readonly key: string;
  readonly file: string;
  readonly source: Source;
}

/**
 * A variable is not set. It comes back from where it was last seen; a secret is generated only where the example says so,
 * since one that others share cannot be invented.
 */
export const envMissing: FailureFamily = {
  name: 'env_missing',
  title: 'a variable is not set',
  async diagnose(c) {
    const facts = factsOf(c, 'env_missing').filter((f) => f.subject !== '' && !c.env[f.subject]);
    const drift = failsToWork(c) ? c.drift.filter((d) => d.kind === 'env_key_missing' && !c.env[d.subject]) : [];
    const keys = [
      ...new Set([...facts.map((f) => f.subject), ...c.component.requiredEnv.filter((key) => !c.env[key]), ...drift.map((d) => d.subject)]),
    ];
    if (keys.length === 0) return [];
    const files: string[] = [];
    for (const file of envFilesOf(c.component)) if (isOwn(c.component, file) && (await c.files.stat(file)) !== null) files.push(file);
    const origins: Origin[] = [];
    const lost: string[] = [];
    for (const key of keys) {
      const origin = await originOf(c, files, key);
      if (origin === null) lost.push(key);
      else origins.push(origin);
    }
    const isNamed = (key: string): boolean => facts.some((f) => f.subject === key) || c.component.requiredEnv.includes(key);
    const evidence = [...linesOf(facts), ...drift.map((d) => d.message)];
    const found: Diagnosis[] = [];
    const blocking = lost.filter(isNamed);
    if (blocking.length > 0) found.push(withoutSource(c, blocking, evidence));
    if (origins.length > 0)
      found.push(withSource(c, origins, evidence, { isNamed: origins.some((o) => isNamed(o.key)), isEnough: blocking.length === 0 }));
    return found;
  },
  guard: (g) => guardOfSteps('env_missing', g),
};

async function originOf(c: CaseFile, files: readonly string[], key: string): Promise<Origin | null> {
  for (const file of files) {
    const known = (await keysInLastGood(c.lastGood, c.component.name, file)).find((k) => k.key === key);
    if (known !== undefined && known.value !== '') return { key, file, source: 'last_good' };
  }
  for (const file of files) {
    const example = (await keysInFile(c.files, await exampleOf(c.files, file))).find((k) => k.key === key);
    if (example === undefined) continue;
    if (example.mayGenerate && isPlaceholder(example.value)) return { key, file, source: 'generate' };
    if (!isPlaceholder(example.value)) return { key, file, source: 'example' };
  }
  return null;
}

const SAME_TROUBLE: ReadonlySet<string> = new Set(['env_missing', 'config_invalid', 'exception']);
const FROM: Readonly<Record<Source, string>> = {
  last_good: 'as at the last good boot',
  example: 'as in the example',
  generate: 'freshly generated, as the example allows',
};

function withSource(
  c: CaseFile,
  origins: readonly Origin[],
  evidence: readonly string[],
  known: { readonly isNamed: boolean; readonly isEnough: boolean },
): Diagnosis {
  const steps: RemedyStep[] = [];
  const groups = new Map<string, Origin[]>();
  for (const origin of origins) {
    const group = `${origin.file}\n${origin.source}`;
    groups.set(group, [...(groups.get(group) ?? []), origin]);
  }
  for (const group of groups.values()) {
    const first = group[0];
    if (first === undefined) continue;
    const keys = group.map((o) => o.key);
    steps.push(
      step(`set ${keys.join(', ')} in ${shownPath(c.component, first.file)} ${FROM[first.source]}`, 'add_env_keys', {
        file: first.file,
        keys,
        from: first.source,
      }),
    );
  }
  const names = origins.map((o) => o.key).join(', ');
  const wasThere = origins.some((o) => o.source === 'last_good');
  const playbook = origins.every((o) => o.source === 'generate') ? 'configure_missing_secrets' : `set_${nameSlug(names).slice(0, 50)}`;
  return diagnosis('env_missing', {
    cause: `${names} ${origins.length === 1 ? 'is' : 'are'} not set${wasThere ? '; the last good boot had it' : ''}`,
    confidence: !known.isEnough ? 0.5 : known.isNamed ? SURE : PLAUSIBLE,
    evidence: [...evidence, ...origins.map((o) => `${o.key}: ${FROM[o.source]}`)],
    remedy: remedy(playbook, `set ${names}`, HARMLESS, steps),
    advice: [`set ${names} in ${shownPath(c.component, origins[0]?.file ?? '.env')}`],
  });
}

function withoutSource(c: CaseFile, keys: readonly string[], evidence: readonly string[]): Diagnosis {
  const names = keys.join(', ');
  const seen = c.drift.filter((d) => d.kind === 'env_key_missing' && keys.includes(d.subject));
  const last =
    seen.length > 0
      ? 'it was set at the last good boot, from outside the env files'
      : 'no env file, example or earlier boot has a value for it';
  return diagnosis('env_missing', {
    cause: `${names} ${keys.length === 1 ? 'is' : 'are'} not set: ${last}`,
    // Among other errors it may only be a warning about something optional.
    confidence:
      keys.some((key) => c.component.requiredEnv.includes(key)) || c.failure.facts.every((f) => SAME_TROUBLE.has(f.kind)) ? 0.9 : PERHAPS,
    evidence,
    advice: [`set ${names} for ${c.component.name}; a secret that others share cannot be made up`],
    waitFor: { kind: 'file_change', path: envFilesOf(c.component)[0] ?? c.component.cwd },
  });
}
