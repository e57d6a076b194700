import type { AutonomyTier, Risk } from '../governance/index.ts';
import type { PlaybookMatch, RemedyStep } from '../playbooks/index.ts';
import { collectParams, commentSafe, literal, quote, stepParams } from './generate-playbook.ts';

/** What is known when a person begins a playbook. */
export interface PlaybookDraft {
  readonly name: string;
  readonly description: string;
  readonly risk: Risk;
  readonly tier: AutonomyTier;
  readonly match: PlaybookMatch;
  /** Empty: one that only tells people something stands in for them. */
  readonly steps: readonly RemedyStep[];
  /** Lines about the failure, for the comment at the top. Hostile: error text is among them. */
  readonly about: readonly string[];
  /** `mjs`: checked by an editor all the same. */
  readonly language: 'ts' | 'mjs';
}

/**
 * Source of a playbook that a person goes on with: it loads and runs as it is, and its comments say what each part is for.
 * Everything from the failure goes through JSON into a string, or into a comment that it cannot close.
 */
export function draftPlaybookSource(draft: PlaybookDraft): string {
  const steps = draft.steps.length > 0 ? draft.steps : [standIn(draft.name)];
  const params = collectParams(steps);
  return [
    ...(draft.language === 'mjs' ? ['// @ts-check'] : []),
    '/**',
    ` * ${commentSafe(draft.description)}`,
    ...(draft.about.length === 0 ? [] : [' *']),
    ...draft.about.map((line) => ` * ${commentSafe(line)}`.trimEnd()),
    ' */',
    '// All that a playbook may import. It runs in a process without files, network or other processes: what is to be done, it asks for.',
    "import { definePlaybook } from 'grace-runtime';",
    '',
    'export default definePlaybook({',
    '  // snake_case, and the name of this file.',
    `  name: ${quote(draft.name)},`,
    '  // One line for people: it stands in grace playbooks list and in approvals.',
    `  description: ${quote(draft.description)},`,
    '  // What it could do at worst: low, medium, high, critical. High and critical always need an approval.',
    `  risk: ${quote(draft.risk)},`,
    '  // tier_1 runs, tier_2 runs with notice, tier_3 needs one approval, tier_4 two.',
    `  tier: ${quote(draft.tier)},`,
    "  service: 'boot_pipeline',",
    ...matchLines(draft.match),
    '  // Plain data that the steps use. Paths are relative to the directory of the component, so that they hold in every checkout.',
    `  params: ${literal(params.values, 2)},`,
    '  async run(ctx) {',
    '    // ctx.step(what it is for, which primitive, its parameters). Your editor completes both. A step that is refused or fails ends',
    '    // the run, and what was done is undone. It returns { step, success, summary }; use if and for as you like.',
    ...steps.map(
      (step, i) => `    await ctx.step(${quote(step.name)}, ${quote(step.primitive)}, ${stepParams(step, params.names[i] ?? new Map())});`,
    ),
    ...(draft.steps.length > 0
      ? []
      : [
          '    // More of them, each with what it takes, in docs/guide/playbooks.md. For example:',
          "    // await ctx.step('make the upload directory', 'make_directory', { path: 'uploads' });",
          "    // await ctx.step('add what .env lacks', 'add_env_keys', { file: '.env', keys: ['LOG_LEVEL'], from: 'example', example: '.env.example' });",
        ]),
    '  },',
    '  // Beside the failing check, readiness and the soak time, the smoke tests must pass.',
    '  verify: { smoke: true },',
    '});',
    '',
    `// See what it would do now:               grace playbooks run ${draft.name} --dry-run`,
    `// Try it against its recorded failure:    grace playbooks test ${draft.name}`,
    '',
  ].join('\n');
}

function matchLines({ signature, family, component }: PlaybookMatch): readonly string[] {
  const fields = Object.entries({ signature, family, component }).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}: ${quote(value)}`],
  );
  const meaning =
    '  // Which failures it is for: signature is one exact failure, family every failure of that kind, component limits it to one.';
  return signature === undefined && family === undefined
    ? [meaning, '  // With neither it runs only when you run it.', `  match: ${fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`},`]
    : [meaning, `  match: { ${fields.join(', ')} },`];
}

function standIn(name: string): RemedyStep {
  return { name: 'say that it ran', primitive: 'notify', params: { message: `${name} has no steps of its own yet` } };
}
