import { cleanLines, READ_LINES_MAX, TemplateMiner } from '../domains/incidents/index.ts';
import type { PrimitiveContext, RecentFailure } from '../domains/playbooks/index.ts';
import { errorLines } from '../catalog/readers/error-lines.ts';
import { definePrimitive, nothingToUndo } from './define-primitive.ts';
import { optional, whole } from './parameter.ts';
import { linesSince } from './recent-lines.ts';

/** From the end of the log: what a component says in some minutes of trouble, and no more than is read in a moment. */
const LOG_BYTES = 256 * 1024;
const MINUTES = 5;
const MINUTES_MAX = 24 * 60;
/** Kinds of lines, and of captured failures, that people are told of. */
const GROUPS_TOLD_MAX = 5;
const TEMPLATE_CHARS_MAX = 160;
/** Different statements that are told apart; what comes after shares one group. */
const LIMITS = { skeletonsMax: 100, shapesMax: 256 };
/** Of a line; what tells one statement from another stands at its start. Lines that are all different cost a millisecond each. */
const GROUPED_CHARS_MAX = 240;
/** The newest ones; a flood is told by its end. */
const GROUPED_LINES_MAX = 1000;
/** What it answers is the symptom itself: that it is known how to start it again helps nobody. */
const SYMPTOM_FAMILY = 'errors';

export const groupRecentErrors = definePrimitive({
  name: 'group_recent_errors',
  description: 'Groups what the component said wrong in the last minutes by the statement that said it, and tells people.',
  risk: 'low',
  changes: 'nothing',

  parameters: {
    minutes: optional(whole('How far it looks back; 5 minutes unless set.', 1, MINUTES_MAX)),
  },
  confinement: 'only looks: at the log of the component and at what was captured of it',

  async plan({ minutes }, context) {
    return {
      state: 'ready',
      summary: `group what ${context.component.name} said wrong in the last ${span(minutes ?? MINUTES)}`,
      targets: [context.component.name],
      undo: null,
    };
  },

  async apply({ minutes }, context) {
    const { component, clock, logger } = context;
    const sinceMs = clock.nowMs() - (minutes ?? MINUTES) * 60_000;
    const [said, captured] = await Promise.all([saidSince(context, sinceMs), context.recentFailures(sinceMs).catch(() => [])]);
    // What is said of a failure must not be longer than what can be read at night.
    const summary = context.redact(told(component.name, span(minutes ?? MINUTES), said, captured));
    logger.warn(summary, { component: component.name });
    context.progress(summary);
    return { summary, changed: [] };
  },

  undo: nothingToUndo,
});

interface Said {
  /** The most frequent first. */
  readonly groups: readonly { readonly template: string; readonly count: number }[];
  readonly lines: number;
  /** Whether the lines say when they were written; otherwise the end of the log stands for the last minutes. */
  readonly areTimed: boolean;
}

const NOTHING: Said = { groups: [], lines: 0, areTimed: true };

/** What the log says as errors since then. A log that cannot be read is an empty one: what comes after this step has to come. */
async function saidSince({ component, files, redact }: PrimitiveContext, sinceMs: number): Promise<Said> {
  const stat = await files.stat(component.logFile).catch(() => null);
  if (stat?.kind !== 'file' || stat.mtimeMs < sinceMs) return NOTHING;
  const from = Math.max(0, stat.sizeBytes - LOG_BYTES);
  const bytes = await files.readRange(component.logFile, from, stat.sizeBytes - from).catch(() => null);
  if (bytes === null) return NOTHING;
  const text = new TextDecoder().decode(bytes);
  // Half a line may be half a secret: it is left out.
  const whole = from === 0 ? text : text.slice(text.indexOf('\n') + 1 || text.length);
  const cleaned = redact(cleanLines(redact(whole)).slice(-READ_LINES_MAX).join('\n')).split('\n');
  const { lines, areTimed } = linesSince(cleaned, sinceMs);
  const errors = errorLines(lines);
  const miner = new TemplateMiner(LIMITS);
  const ids = errors.slice(-GROUPED_LINES_MAX).map((line) => miner.add(line.slice(0, GROUPED_CHARS_MAX)));
  const counts = Map.groupBy(ids, (id) => miner.groupOf(id));
  const groups = [...counts].map(([id, members]) => ({ template: miner.template(id), count: members.length }));
  return { groups: groups.toSorted((a, b) => b.count - a.count), lines: errors.length, areTimed };
}

function told(name: string, minutes: string, said: Said, captured: readonly RecentFailure[]): string {
  const parts: string[] = [];
  const window = said.areTimed ? `in the last ${minutes}` : 'at the end of its log, whose lines carry no time';
  if (said.lines === 0) parts.push(`${name} said nothing wrong in the last ${minutes};`);
  else {
    const kinds = said.groups.length === 1 ? 'one kind' : `${said.groups.length} kinds`;
    parts.push(`${name} said ${said.lines === 1 ? 'one error' : `${said.lines} errors`} of ${kinds} ${window}:`);
    for (const { template, count } of said.groups.slice(0, GROUPS_TOLD_MAX)) parts.push(`${often(count)} ${shown(template)};`);
    if (said.groups.length > GROUPS_TOLD_MAX) parts.push(`and ${said.groups.length - GROUPS_TOLD_MAX} more kinds;`);
  }
  const failures = captured.filter(({ family }) => family !== SYMPTOM_FAMILY).slice(0, GROUPS_TOLD_MAX);
  if (failures.length > 0) parts.push('captured in that time:');
  for (const { template, count, signature } of failures) parts.push(`${often(count)} ${shown(template)} (${signature});`);
  const leading = failures[0]?.playbook ?? null;
  if (leading !== null) parts.push(`the playbook known for the first of these is ${leading}`);
  return parts.join(' ').replace(/[;:]$/, '');
}

function often(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function shown(template: string): string {
  return JSON.stringify(template.length > TEMPLATE_CHARS_MAX ? `${template.slice(0, TEMPLATE_CHARS_MAX)}…` : template);
}

function span(minutes: number): string {
  return minutes === 1 ? 'minute' : `${minutes} minutes`;
}
