import type { Pattern } from '../../domains/incidents/index.ts';
import { diagnose, draftPlaybookSource, portableSteps, type Captured, type PlaybookDraft } from '../../domains/learning/index.ts';
import type { RegisteredPlaybook } from '../../domains/playbooks/index.ts';
import { nodeFiles } from '../../adapters/node/files.ts';
import type { Logger } from '../../kernel/index.ts';
import type { Composed } from '../compose.ts';
import type { GraceConfig } from '../config/index.ts';
import { knowledge } from '../load-knowledge.ts';
import { onACopy } from '../on-a-copy.ts';
import { NOTHING_RUNS } from '../policy.ts';
import { chosenComponent } from './chosen-playbook.ts';
import { NoSuchIncident } from './errors.ts';
import { recordFailure } from './record-failure.ts';
import { parseRecordedFailure, printRecordedFailure, RECORD_BYTES_MAX, recordFileOf, type RecordedFailure } from './recorded-failure.ts';

export interface DraftOptions {
  readonly config: GraceConfig;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  readonly name: string;
  readonly component: string | null;
  readonly language: PlaybookDraft['language'];
  /** Incident or signature; null for a playbook that is for nothing yet. */
  readonly subject: string | null;
}

export interface Drafted {
  readonly source: string;
  /** The recorded failure as JSON; null where it is for none. */
  readonly record: string | null;
  /** How many differences it knows. */
  readonly differences: number;
  readonly notReplayable: readonly string[];
}

const EVIDENCE_MAX = 4;

/**
 * Begins a playbook for a person. For an incident, with what is known of it: the steps of the playbook that mended it, or of the
 * one that the catalog would write. Looks at a copy of Grace's memory; writes nothing.
 * @throws NoSuchIncident, NoSuchComponent
 */
export async function draftPlaybook(options: DraftOptions): Promise<Drafted> {
  const { name, language, config, component } = options;
  if (options.subject === null) {
    const wanted = component === null ? null : chosenComponent(component, { component: null }, config).name;
    const match = wanted === null ? {} : { component: wanted };
    const about = ['Written by hand. It asks before it runs: tier_3, until you trust it.'];
    const draft = {
      name,
      description: `what ${name.replaceAll('_', ' ')} is for`,
      risk: 'low',
      tier: 'tier_3',
      match,
      steps: [],
      about,
      language,
    } as const;
    return { source: draftPlaybookSource(draft), record: null, differences: 0, notReplayable: [] };
  }
  const subject = options.subject;
  const looking = { ...options, emit: () => undefined, signal: new AbortController().signal };
  return onACopy(looking, { policy: NOTHING_RUNS, policyFiles: [] }, (_, grace) => draftFor(subject, options, grace));
}

async function draftFor(subject: string, options: DraftOptions, grace: Composed): Promise<Drafted> {
  const { name, config, language } = options;
  const { pattern, captured } = await incidentOf(subject, grace);
  const spec = chosenComponent(options.component, { component: pattern.component }, config);
  await grace.launchOf(spec); // tells the redactor what the component is started with
  const { families } = await knowledge();
  const verdict = await diagnose(await grace.caseFile(captured, spec, []), families, options.logger);
  const known = await knownPlaybook(pattern, grace);
  const shown = verdict.chosen ?? verdict.best;
  const remedy = shown.remedy;
  const steps = known !== null ? known.steps : remedy === null ? [] : portableSteps(remedy.steps, spec);
  const cause = pattern.rootCause === '' ? shown.cause : pattern.rootCause;
  const explained = (await grace.incidents.explanations({ signature: pattern.signature, limit: 1 }))[0];
  const evidence = explained?.evidence ?? shown.evidence;
  const family = pattern.familyName ?? shown.family;
  const draft: PlaybookDraft = {
    name,
    description: known?.description ?? remedy?.description ?? `mend ${pattern.incidentId}`,
    risk: known?.risk ?? remedy?.risk ?? 'medium',
    // Nobody knows yet what its steps will be: it asks.
    tier: known?.tier ?? remedy?.tier ?? 'tier_3',
    match: { signature: pattern.signature, ...(family === 'unexplained' ? {} : { family }), component: spec.name },
    steps,
    about: [
      `Incident:   ${pattern.incidentId}`,
      `Pattern:    ${pattern.template}`,
      `Root cause: ${cause}`,
      ...evidence.slice(0, EVIDENCE_MAX).map((line) => `Evidence:   ${line}`),
      ...(known === null ? [] : [`Steps:      as in ${known.name} (${known.origin})`]),
    ],
    language,
  };
  const { redactor } = grace;
  const record =
    (await recordOf(known, pattern, config)) ??
    (await recordFailure(
      { playbook: name, captured, spec, steps, diagnosis: { family, cause } },
      { files: nodeFiles, lastGood: grace.lastGood, redactor, projectDir: config.projectDir },
    ));
  return {
    source: redactor.redact(draftPlaybookSource({ ...draft, about: draft.about.map((line) => redactor.redact(line)) })),
    record: printRecordedFailure({ ...record, playbook: name }),
    differences: record.world.length,
    notReplayable: record.notReplayable,
  };
}

/** What was recorded when it failed says more than the present moment, in which it may be mended. */
async function recordOf(
  known: RegisteredPlaybook | null,
  pattern: Pattern,
  { playbooksDir }: GraceConfig,
): Promise<RecordedFailure | null> {
  if (known === null) return null;
  const file = recordFileOf(`${playbooksDir}/${known.name}`, known.name);
  const text = await nodeFiles.readText(file, RECORD_BYTES_MAX + 1);
  if (text === null) return null;
  try {
    const record = parseRecordedFailure(file, text);
    return record.signature === pattern.signature ? record : null;
  } catch {
    return null; // somebody's file, and not the one that is asked about
  }
}

/** One that mended it, or was made for it, and of which the steps are known. */
async function knownPlaybook(pattern: Pattern, { playbooks }: Composed): Promise<RegisteredPlaybook | null> {
  const withSteps = (await playbooks.list()).filter((p) => p.steps.length > 0);
  return (
    withSteps.find((p) => p.name === pattern.playbook) ??
    withSteps.find((p) => p.signature === pattern.signature && p.origin === 'learned') ??
    withSteps.find((p) => p.signature === pattern.signature) ??
    null
  );
}

async function incidentOf(subject: string, { incidents }: Composed): Promise<{ readonly pattern: Pattern; readonly captured: Captured }> {
  const pattern = (await incidents.patternByIncident(subject)) ?? (await incidents.patterns()).find((p) => p.signature === subject) ?? null;
  const [failure] = pattern === null ? [] : await incidents.failuresLike(pattern.signature, 1);
  if (pattern === null || failure === undefined) throw new NoSuchIncident(subject);
  return { pattern, captured: { failure, pattern, isNew: false } };
}
