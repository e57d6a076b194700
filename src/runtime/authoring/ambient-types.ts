import { readFileSync } from 'node:fs';

/** Beside the playbooks of a project that has not installed grace-runtime. No playbook: its name has a dot. */
export const AMBIENT_TYPES_FILE = 'grace.d.ts';

const HEADER = `// Types of playbooks, for your editor and for tsc. Written by Grace because grace-runtime is not installed here: with it installed,
// delete this file. It is never run, and you may commit it. \`grace playbooks new\` writes it when there is none.`;

/** What `src/index.ts` gives to a playbook; a test checks the same files against both. */
const REST = `
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };
export type Risk = 'low' | 'medium' | 'high' | 'critical';
/** tier_1 runs, tier_2 runs with notice, tier_3 needs one approval, tier_4 two. */
export type AutonomyTier = 'tier_1' | 'tier_2' | 'tier_3' | 'tier_4';

export interface StepResult {
  readonly step: string;
  readonly success: boolean;
  readonly summary?: string;
  readonly error?: string;
}

/** What a playbook can ask for. It has no other powers. */
export interface PlaybookContext<P extends JsonObject = JsonObject> {
  readonly params: P;
  readonly component: string;
  /**
   * Asks for one primitive under this step's name, and waits until it is done.
   * @param name       what the step is for, in words; it stands in the journal and before people
   * @param primitive  the power that is asked for
   * @throws when the primitive was refused or failed; the playbook then ends and its finished steps are undone
   */
  step<N extends keyof PrimitiveParams>(name: string, primitive: N, params: PrimitiveParams[N]): Promise<StepResult>;
}

export interface PlaybookMatch {
  /** The exact failure. */
  readonly signature?: string;
  /** Any failure that this catalog family recognises. */
  readonly family?: string;
  readonly component?: string;
}

/** How success is told, beside the failing check, readiness and the soak time, which always count. */
export interface PlaybookVerify {
  readonly smoke?: boolean;
}

export interface Playbook<P extends JsonObject = JsonObject> {
  /** snake_case, and best the name of the file. */
  readonly name: string;
  readonly description: string;
  readonly risk: Risk;
  readonly tier: AutonomyTier;
  readonly service: string;
  readonly match: PlaybookMatch;
  /** Plain data that the steps use. */
  readonly params: P;
  run(context: PlaybookContext<P>): Promise<void>;
  readonly verify?: PlaybookVerify;
}

/** Identity; gives a playbook file its types. */
export function definePlaybook<const P extends JsonObject>(playbook: Playbook<P>): Playbook<P>;

/** For grace.config.ts: any keys. With grace-runtime installed they are known. */
export interface GraceConfigFile {
  readonly [key: string]: unknown;
}
`;

/** The text of `grace.d.ts`: what `import … from 'grace-runtime'` means where the package is not there. */
export function ambientTypes(): string {
  const body = `${primitiveParams()}${REST}`
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
    .join('\n');
  return `${HEADER}\ndeclare module 'grace-runtime' {\n${body.trimEnd()}\n}\n`;
}

/** The source of the parameters' types, which imports nothing; beside the chunks where Grace was bundled. */
function primitiveParams(): string {
  const file = import.meta.url.endsWith('.ts')
    ? new URL('../../domains/playbooks/primitive-params.ts', import.meta.url)
    : new URL('../primitive-params.txt', import.meta.url);
  return readFileSync(file, 'utf8');
}
