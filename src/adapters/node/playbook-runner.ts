import { basename, extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf, type JsonObject, type Logger } from '../../kernel/index.ts';
import { cleanLines } from '../../domains/incidents/index.ts';
import { PlaybookInvalid, type LoadedPlaybook, type PlaybookHead, type RunContext } from '../../domains/playbooks/index.ts';
import type { CheckedReport } from './playbook-messages.ts';
import { PLAYBOOK_LIMITS, runPlaybookProcess, type PlaybookLimits } from './playbook-process.ts';

/** What runs of playbooks need of the Grace around them. */
export interface PlaybookSurroundings {
  /** Nothing that a playbook printed, threw or is answered passes without it. */
  readonly redact: (text: string) => string;
  readonly logger: Logger;
  /** Values of GRACE_MARK: for processes that read a file, and for those that run it. */
  readonly marks: { readonly describe: string; readonly run: string };
  /** Ends the reading of a file; a run has its own. */
  readonly signal?: AbortSignal;
  readonly limits?: Partial<PlaybookLimits>;
  /** The program that obeys orders; another one only in tests. */
  readonly child?: URL;
}

const RISKS = new Set(['low', 'medium', 'high', 'critical']);
const TIERS = new Set(['tier_1', 'tier_2', 'tier_3', 'tier_4']);
/** A boot waits for it. */
const READ_MS_MAX = 10_000;
/** Of what a step or an error says, on its way to a playbook or from it. */
const TEXT_CHARS_MAX = 2000;

/** Beside this file, as source or as part of the build. */
const CHILD = new URL(import.meta.url.endsWith('.ts') ? './playbook-child.ts' : './playbook-child.mjs', import.meta.url);

/**
 * Reads what a playbook says of itself, in a process without powers.
 * @param source  the text whose hash was taken: whatever is done later is done with this, and not with the file
 * @throws PlaybookInvalid
 */
export async function loadPlaybook(file: string, source: string, around: PlaybookSurroundings): Promise<LoadedPlaybook> {
  const name = basename(file, extname(file));
  const url = pathToFileURL(file).href;
  const child = around.child ?? CHILD;
  const limits = { ...PLAYBOOK_LIMITS, ...around.limits };
  const isTypeScript = extname(file) === '.ts';
  let code: string | null = isTypeScript ? null : source;
  let last: Exclude<CheckedReport, { type: 'step' }> | null = null;
  try {
    await runPlaybookProcess({
      name,
      order: { task: 'describe', url, source, isStripped: !isTypeScript, params: {}, component: '' },
      mark: around.marks.describe,
      limits: { ...limits, ownTimeMs: Math.min(limits.ownTimeMs, READ_MS_MAX) },
      signal: around.signal,
      child,
      take: (asked) => Promise.resolve({ id: asked.id, error: '' }),
      hear(said) {
        if (said.type !== 'stripped') last = said;
        // Only the first counts: it was said before the code ran.
        else code ??= said.code;
        return said.type !== 'stripped';
      },
    });
  } catch (error) {
    throw new PlaybookInvalid(file, messageOf(error), error);
  }
  const said = last as Exclude<CheckedReport, { type: 'step' }> | null;
  if (said?.type === 'unloadable')
    throw new PlaybookInvalid(file, `does not compile or load: ${shown(said.error, around.redact).split('\n')[0] ?? ''}`);
  if (said?.type !== 'described' || code === null) throw new PlaybookInvalid(file, 'did not say what it is');
  const head = checked(file, said.head);
  const stripped: string = code;
  return {
    ...head,
    run: (context, signal) =>
      runPlaybook(
        head.name,
        { url, source: stripped, isStripped: true, params: context.params, component: context.component },
        context,
        signal,
        limits,
        child,
        around,
      ),
  };
}

async function runPlaybook(
  name: string,
  order: { url: string; source: string; isStripped: boolean; params: JsonObject; component: string },
  context: RunContext,
  signal: AbortSignal | undefined,
  limits: PlaybookLimits,
  child: URL,
  around: PlaybookSurroundings,
): Promise<void> {
  const { redact, logger } = around;
  const text = (value: string): string => shown(value, redact);
  const errors = new Map<number, unknown>();
  let last: Exclude<CheckedReport, { type: 'step' }> | null = null;
  const printed = await runPlaybookProcess({
    name,
    order: { ...order, task: 'run' },
    mark: around.marks.run,
    limits,
    signal,
    child,
    async take({ id, name: step, primitive, params }) {
      try {
        const { summary, ...result } = await context.step(cleanLines(step).join(' ') || 'a step', primitive, params);
        return { id, result: { ...result, ...(summary === undefined ? {} : { summary: text(summary) }) } };
      } catch (error) {
        errors.set(id, error);
        return { id, error: text(messageOf(error)) };
      }
    },
    hear(said) {
      last = said;
      return true;
    },
  });
  if (printed.trim() !== '')
    logger.info('a playbook printed something', { playbook: name, output: cleanLines(redact(printed)).join('\n') });
  const said = last as Exclude<CheckedReport, { type: 'step' }> | null;
  if (said?.type === 'ended') return;
  if (said?.type !== 'failed') throw new PlaybookInvalid(name, said?.type === 'unloadable' ? text(said.error) : 'did not run');
  // It ended because of this very step: then the step's own error counts, with all that it knows.
  const ofStep = said.step === undefined ? undefined : errors.get(said.step);
  throw ofStep ?? new Error(text(said.error));
}

function checked(file: string, value: JsonObject | null): PlaybookHead {
  if (value === null) throw new PlaybookInvalid(file, 'has no default export made with definePlaybook({…})');
  const { name, description, risk, tier, service, match, params, verify, canRun } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || !/^[a-z][a-z0-9_]{0,199}$/.test(name)) throw new PlaybookInvalid(file, 'its name must be snake_case');
  if (typeof risk !== 'string' || !RISKS.has(risk)) throw new PlaybookInvalid(file, 'its risk must be low, medium, high or critical');
  if (typeof tier !== 'string' || !TIERS.has(tier)) throw new PlaybookInvalid(file, 'its tier must be tier_1, tier_2, tier_3 or tier_4');
  if (canRun !== true) throw new PlaybookInvalid(file, 'it has no run(ctx)');
  return {
    name,
    description: typeof description === 'string' ? cleanLines(description).join(' ').slice(0, TEXT_CHARS_MAX) : '',
    risk: risk as PlaybookHead['risk'],
    tier: tier as PlaybookHead['tier'],
    service: typeof service === 'string' ? service : 'boot_pipeline',
    match: textsOf(match, ['signature', 'family', 'component']),
    params: isObject(params) ? params : {},
    ...(isObject(verify) ? { verify: { smoke: verify['smoke'] === true } } : {}),
  };
}

/** A text from a playbook, for people: without secrets, colours and what else a terminal might obey. */
function shown(value: string, redact: (text: string) => string): string {
  return cleanLines(redact(value)).join('\n').slice(0, TEXT_CHARS_MAX);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textsOf(value: unknown, keys: readonly string[]): Readonly<Record<string, string>> {
  if (!isObject(value)) return {};
  return Object.fromEntries(keys.flatMap((key) => (typeof value[key] === 'string' ? [[key, value[key]]] : [])));
}
