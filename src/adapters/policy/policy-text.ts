import type { FiredPolicy, GovernedAction, PolicySource } from '../../domains/governance/index.ts';
import { messageOf } from '../../kernel/index.ts';
import type { ActionConstraint } from '@cedar-policy/cedar-wasm/web';
import type { Cedar } from './load-cedar.ts';

/** A policy file: its text, and the name by which people know it. */
export type PolicyFile = PolicySource;

/** One policy as it was read. */
export interface PolicyRule extends FiredPolicy {
  readonly text: string;
  readonly file: string;
  readonly line: number;
  /** Those it is about; null for all. */
  readonly actions: readonly GovernedAction[] | null;
}

/** Most of what a policy asks about belongs to one action. */
const NAME_THE_ACTION = 'not every action has it: say which one it is about, such as action == Grace::Action::"run_playbook"';

/** What is wrong in a policy file, and where. */
export interface PolicyMistake {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly problem: string;
  readonly suggestion: string | null;
}

export interface PolicyReading {
  readonly rules: readonly PolicyRule[];
  readonly mistakes: readonly PolicyMistake[];
}

/** Of one file: what people write stays far below. */
export const POLICY_BYTES_MAX = 64 * 1024;
/** All files together; each costs a decision some microseconds. */
export const POLICIES_MAX = 200;
/** Operators, members and brackets of one policy: more than a person reads, and the parser's stack ends at some 250. */
const PARTS_MAX = 150;
/** Brackets within brackets; lists use the most of that stack, and it ends at some 100 of them. */
const NESTING_MAX = 20;
const APPROVALS_MAX = 10;
const ID = /^[a-z0-9][a-z0-9_.-]{0,62}$/;
const ANNOTATIONS = ['id', 'reason', 'approvals', 'verdict', 'overridable', 'overrides'];

/**
 * Reads a policy file and checks it against the schema.
 * @param schema  null where that was checked when it was built
 * @param base  what ships with Grace and may be overridden where it says so; null when this is what ships
 */
export function readPolicyFile(cedar: Cedar, schema: string | null, file: PolicyFile, base: readonly PolicyRule[] | null): PolicyReading {
  const at = (offset: number, problem: string, suggestion: string | null = null): PolicyMistake => ({
    file: file.name,
    ...placeOf(file.text, offset),
    problem,
    suggestion,
  });
  if (Buffer.byteLength(file.text) > POLICY_BYTES_MAX)
    return {
      rules: [],
      mistakes: [at(0, `is larger than ${POLICY_BYTES_MAX / 1024} KiB`, 'a decision reads every policy: keep few of them')],
    };
  const intricate = tooIntricate(file.text);
  if (intricate !== null)
    return {
      rules: [],
      mistakes: [at(intricate, `has more than ${PARTS_MAX} parts, or brackets deeper than ${NESTING_MAX}`, 'make several policies of it')],
    };
  const { mistakes, isRead } = schema === null ? { mistakes: [], isRead: true } : validated(cedar, schema, file.text, at);
  if (!isRead) return { rules: [], mistakes };
  const parts = cedar.policySetTextToParts(file.text);
  if (parts.type === 'failure') return { rules: [], mistakes: parts.errors.map(({ message }) => at(0, plain(message))) };
  for (const template of parts.policy_templates)
    mistakes.push(at(Math.max(0, file.text.indexOf(template)), 'is a template', 'write the policy out'));
  const rules: PolicyRule[] = [];
  if (parts.policies.length > POLICIES_MAX)
    return { rules, mistakes: [at(0, `has ${parts.policies.length} policies; ${POLICIES_MAX} are allowed`)] };
  // The parts come sorted by a number that is text; where they stand says in which order they were written.
  let from = new Map<string, number>();
  for (const [offset, text] of parts.policies
    .map((text) => {
      const start = file.text.indexOf(text, from.get(text) ?? 0);
      from = new Map(from).set(text, start + 1);
      return [start, text] as const;
    })
    .toSorted(([a], [b]) => a - b)) {
    const json = cedar.policyToJson(text);
    if (json.type === 'failure') continue; // it was parsed before
    const notes = json.json.annotations ?? {};
    mistakes.push(...wrongNotes(json.json.effect, notes, base).map(([problem, suggestion]) => at(offset, problem, suggestion)));
    if (notes['approvals'] !== undefined && !JSON.stringify(json.json.conditions).includes('"attr":"approvals"'))
      mistakes.push(at(offset, '@approvals asks for what its conditions never look at', 'end it with: unless { context.approvals >= 1 }'));
    rules.push({
      id: notes['id'] ?? '',
      effect: json.json.effect,
      reason: notes['reason'] || `policy ${notes['id'] ?? ''} ${json.json.effect === 'forbid' ? 'forbids' : 'permits'} it`,
      approvals: notes['approvals'] === undefined ? null : Number(notes['approvals']),
      verdict: notes['verdict'] === 'observe' || notes['verdict'] === 'notice' ? notes['verdict'] : null,
      overrides: notes['overrides'] ?? null,
      isOverridable: base === null && notes['overridable'] === 'yes',
      text,
      file: file.name,
      line: placeOf(file.text, offset).line,
      actions: actionsOf(json.json.action),
    });
  }
  return { rules, mistakes };
}

/** What a policy says it is about. */
function actionsOf(scope: ActionConstraint): readonly GovernedAction[] | null {
  if (scope.op === 'All') return null;
  const entities = 'entities' in scope ? scope.entities : 'entity' in scope ? [scope.entity] : [];
  return entities.map((entity) => ('id' in entity ? entity.id : entity.__entity.id) as GovernedAction);
}

type At = (offset: number, problem: string, suggestion?: string | null) => PolicyMistake;

function validated(cedar: Cedar, schema: string, text: string, at: At): { readonly mistakes: PolicyMistake[]; readonly isRead: boolean } {
  let answer: ReturnType<Cedar['validate']>;
  try {
    answer = cedar.validate({ schema, policies: { staticPolicies: text } });
  } catch (error) {
    return { mistakes: [at(0, `cannot be read: ${messageOf(error).slice(0, 200)}`)], isRead: false }; // the parser ran out of stack
  }
  const isRead = answer.type === 'success';
  const errors = answer.type === 'success' ? answer.validationErrors.map(({ error }) => error) : answer.errors;
  // A policy is checked for each action it is about: what is wrong in it is said once, in the words for a playbook if there are any.
  const told = new Map<string, PolicyMistake>();
  for (const { message, help, sourceLocations: [place] = [] } of errors) {
    const missing = isRead ? /^attribute `(\w+)` .* not found/.exec(plain(message))?.[1] : undefined;
    const isElsewhere = missing !== undefined && schema.includes(` ${missing}: `);
    const suggestion = isElsewhere ? NAME_THE_ACTION : (help ?? (isRead ? null : (place?.label ?? null)));
    const mistake = at(offsetOf(text, place?.start ?? 0), plain(message), suggestion === null ? null : plain(suggestion));
    const key = `${mistake.line}:${mistake.column} ${missing ?? mistake.problem}`;
    if (!told.has(key) || mistake.problem.includes('Grace::Playbook')) told.set(key, mistake);
  }
  return { mistakes: [...told.values()], isRead };
}

/**
 * Two policies with one id, since people could not tell which one decided; and too many of them.
 * @param shipped  how many of them, at the beginning, ship with Grace
 */
export function mistakesBetween(rules: readonly PolicyRule[], shipped: number): readonly PolicyMistake[] {
  const seen = new Map<string, PolicyRule>();
  const mistakes: PolicyMistake[] = [];
  for (const rule of rules) {
    const first = seen.get(rule.id);
    if (first === undefined) seen.set(rule.id, rule);
    else if (rule.id !== '')
      mistakes.push({
        file: rule.file,
        line: rule.line,
        column: 1,
        problem: `policy ${JSON.stringify(rule.id)} is there already`,
        suggestion: `give it another @id; the first is in ${first.file}:${first.line}`,
      });
  }
  const beyond = rules[shipped + POLICIES_MAX];
  if (beyond !== undefined) {
    const { file, line } = beyond;
    mistakes.push({ file, line, column: 1, problem: `is beyond the ${POLICIES_MAX} policies that are allowed`, suggestion: null });
  }
  return mistakes;
}

function wrongNotes(
  effect: 'permit' | 'forbid',
  notes: Readonly<Record<string, string>>,
  base: readonly PolicyRule[] | null,
): readonly (readonly [problem: string, suggestion: string | null])[] {
  const wrong: [string, string | null][] = [];
  const { id, approvals, verdict, overrides } = notes;
  if (id === undefined) wrong.push(['has no @id', 'write @id("a_short_name") above it: it is what people are shown']);
  else if (!ID.test(id)) wrong.push([`@id is not a short name: ${JSON.stringify(id.slice(0, 64))}`, 'use a-z, 0-9, "_", "-" and "."']);
  for (const name of Object.keys(notes))
    if (!ANNOTATIONS.includes(name)) wrong.push([`unknown annotation @${name.slice(0, 64)}`, `there are: ${ANNOTATIONS.join(', ')}`]);
  if (approvals !== undefined) {
    if (effect === 'permit') wrong.push(['@approvals belongs to a forbid', 'forbid it unless context.approvals is enough']);
    if (!/^\d{1,2}$/.test(approvals) || Number(approvals) < 1 || Number(approvals) > APPROVALS_MAX)
      wrong.push([`@approvals must be a whole number from 1 to ${APPROVALS_MAX}`, null]);
  }
  const verdictOf = { permit: 'notice', forbid: 'observe' }[effect];
  if (verdict !== undefined && verdict !== verdictOf) wrong.push([`@verdict of a ${effect} can only be "${verdictOf}"`, null]);
  if (approvals !== undefined && verdict === 'observe') wrong.push(['has both @approvals and @verdict("observe")', 'keep one of them']);
  if (base === null) return wrong;
  if (notes['overridable'] !== undefined) wrong.push(['@overridable is for the policies that ship with Grace', null]);
  const liftable = base.filter((p) => p.isOverridable).map((p) => p.id);
  const says = `only these limits can be lifted: ${liftable.join(', ')}`;
  if (overrides !== undefined && effect === 'forbid') wrong.push(['@overrides belongs to a permit', null]);
  else if (overrides !== undefined && !liftable.includes(overrides))
    wrong.push([`@overrides names ${JSON.stringify(overrides.slice(0, 64))}, which no policy of yours can lift`, says]);
  if (effect === 'permit' && overrides === undefined)
    wrong.push(['a permit of your own allows nothing by itself', `say which limit it lifts with @overrides; ${says}`]);
  return wrong;
}

/**
 * Where a policy has more parts than allowed; null where none has. Counted in one pass, as much as the parser could nest:
 * what is in quotes and in comments is neither a part nor the end of a policy.
 */
function tooIntricate(text: string): number | null {
  let start = 0;
  let parts = 0;
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\[^])*"?|\/\/[^\n]*|;|\bif\b|&&|\|\||[-.()[\]{}+*!]/g)) {
    if (token.startsWith('"') || token.startsWith('//')) continue;
    if (token === ';') [start, parts, depth] = [index + 1, 0, 0];
    else if (/[)\]}]/.test(token)) depth--;
    else if ((/[([{]/.test(token) && ++depth > NESTING_MAX) || ++parts > PARTS_MAX)
      return start + (/\S/.exec(text.slice(start))?.index ?? 0);
  }
  return null;
}

/** Cedar counts bytes, texts here count UTF-16 units. */
function offsetOf(text: string, byte: number): number {
  return Buffer.from(text).subarray(0, byte).toString().length;
}

function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, Math.max(0, offset));
  return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') };
}

/** Without the number Cedar gives a policy by its place, and on one line. */
function plain(message: string): string {
  return message
    .replace(/^for policy `policy\d+`, /, '')
    .replace(/^failed to parse policies from string: /, 'is no policy: ')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 300);
}
