import {
  compareSignatures,
  groupFailure,
  mergedInto,
  partOf,
  SPLIT_PARTS,
  type Failure,
  type GroupingRule,
  type SignatureDifference,
} from '../../domains/incidents/index.ts';
import type { Signature } from '../../kernel/index.ts';
import type { Answer } from './answer.ts';
import { NotKnown } from './errors.ts';
import { findBoot } from './find.ts';
import { incidentNames, ruleJson, toldRule } from './grouping.ts';
import type { Memory } from './memory.ts';
import { columns, paint, table, wrap } from './terminal.ts';

/** One of the two that are compared. */
interface Side {
  /** As it was asked for: an incident or a failure. */
  readonly name: string;
  readonly failure: Failure;
  /** The signature it was given before any rule. */
  readonly own: Signature;
  /** Where it counts now. */
  readonly counts: Signature;
  /** The rules that led there. */
  readonly rules: readonly GroupingRule[];
}

/** Looked at for one that no rule has moved. */
const FAILURES_LOOKED_AT = 50;

/** `grace explain A B`: in which part of the signature two failures differ, whether they count as one, and who decided it. */
export async function explainDifference(memory: Memory, first: string, second: string): Promise<Answer> {
  const rules = await memory.groupingRules.list();
  const [a, b] = [await sideOf(memory, first, rules), await sideOf(memory, second, rules)];
  const names = await incidentNames(memory);
  const differences = compareSignatures(a.failure.signatureParts, b.failure.signatureParts);
  const same = sameParts(a.failure, b.failure, differences);
  const isOne = a.counts === b.counts;
  const deciding = [...new Set([...a.rules, ...b.rules])];
  const finer = SPLIT_PARTS.filter((part) => partOf(a.failure, part) !== partOf(b.failure, part));
  const why = whyOf(a, b, isOne, deciding);
  const data = {
    a: sideJson(a, names),
    b: sideJson(b, names),
    one: isOne,
    why,
    differences: differences.map(({ name, a: left, b: right, words }) => ({ part: name, a: left, b: right, words })),
    same,
    also_differs: finer.map((part) => ({ part, a: partOf(a.failure, part), b: partOf(b.failure, part) })),
    rules: deciding.map((rule) => ruleJson(rule, names)),
  };
  const [left, right] = [names.get(a.counts) ?? a.counts, names.get(b.counts) ?? b.counts];
  const width = Math.max(16, Math.floor((columns() - 20) / 2));
  const lines = [
    wrap(`${paint(isOne ? 'green' : 'yellow', isOne ? 'one' : 'not one')}${summary(isOne, differences, same)}`, columns(), ''),
    '',
    table([
      ['  part', a.name, b.name].map((title) => paint('dim', title)),
      ...a.failure.signatureParts
        .filter((part) => part.name !== 'version' || differences.some((d) => d.name === 'version'))
        .map(({ name, value }) => {
          const other = b.failure.signatureParts.find((part) => part.name === name)?.value ?? '';
          const differs = differences.some((d) => d.name === name);
          return value === '' && other === ''
            ? []
            : [
                `${differs ? paint('yellow', '≠') : ' '} ${name}`,
                short(value, width),
                differs ? short(other, width) : paint('dim', 'the same'),
              ];
        })
        .filter((row) => row.length > 0),
    ]),
    '',
    why,
    ...deciding.map((rule) => `  ${toldRule(rule, names, memory.nowMs)}`),
  ];
  if (!isOne) lines.push(paint('dim', `make them one with: grace patterns merge ${left} ${right} --reason "…"`));
  else if (deciding.length > 0) lines.push(paint('dim', `take a rule back with: grace patterns unrule ${deciding.at(-1)?.id ?? ''}`));
  else if (finer.length > 0)
    lines.push(
      `as captured they differ in ${finer.join(', ')}`,
      paint('dim', `keep them apart with: grace patterns split ${left} --by ${finer[0] ?? ''} --reason "…"`),
    );
  return { exitCode: 0, data, lines };
}

/** @throws NotKnown */
async function sideOf(memory: Memory, name: string, rules: readonly GroupingRule[]): Promise<Side> {
  const pattern = await memory.incidents.patternByIncident(name);
  const kept = pattern === null ? [] : await memory.incidents.failuresLike(pattern.signature, FAILURES_LOOKED_AT);
  const failure = pattern === null ? await memory.incidents.failure(name) : (kept.find((f) => f.grouping === undefined) ?? kept[0] ?? null);
  if (failure === null && (await findBoot(memory, name)) !== null)
    throw new NotKnown('incident or failure', name, 'it is a boot, and boots are compared with: grace diff');
  if (failure === null)
    throw pattern === null
      ? new NotKnown(
          'incident or failure',
          name,
          'see the known ones with: grace incidents; failures of one with: grace explain INCIDENT --json',
        )
      : new NotKnown('kept failure of', name, 'it can be compared once it has happened again');
  const own = failure.grouping?.own ?? failure.signature;
  const grouped = groupFailure({ ...failure, signature: own }, rules);
  if (pattern === null || own === failure.signature) return { name, failure, own, counts: grouped.signature, rules: grouped.rules };
  return { name, failure, own, counts: mergedInto(pattern.signature, rules), rules: grouped.rules };
}

function sameParts(a: Failure, b: Failure, differences: readonly SignatureDifference[]): readonly string[] {
  const inB = new Set(b.signatureParts.map((part) => part.name));
  return a.signatureParts
    .filter((part) => part.name !== 'version' && part.value !== '' && inB.has(part.name))
    .filter((part) => !differences.some((d) => d.name === part.name))
    .map((part) => part.name);
}

/** `: they differ in subject: users / orders; same in runtime, kind, code`. */
function summary(isOne: boolean, differences: readonly SignatureDifference[], same: readonly string[]): string {
  const differ = differences.map((d) => `${d.name}: ${d.a || '(nothing)'} / ${d.b || '(nothing)'}`).join('; ');
  const alike = same.length === 0 ? '' : `same in ${same.join(', ')}`;
  if (differences.length === 0) return `: no part of their signatures differs; ${alike}`;
  return `${isOne ? ', though they' : ': they'} differ in ${differ}${alike === '' ? '' : `; ${alike}`}`;
}

function whyOf(a: Side, b: Side, isOne: boolean, rules: readonly GroupingRule[]): string {
  if (isOne && a.own === b.own && rules.length === 0) return 'they count as one, because they have one signature';
  if (isOne) return 'they count as one, because a person decided so:';
  if (a.own === b.own) return 'they have one signature, and are kept apart because a person decided so:';
  return rules.length === 0
    ? 'they do not count as one, because their signatures differ; no rule says otherwise'
    : 'they do not count as one:';
}

function sideJson(side: Side, names: ReadonlyMap<Signature, string>): Readonly<Record<string, unknown>> {
  return {
    name: side.name,
    failure: side.failure.id,
    boot: side.failure.bootId,
    signature: side.own,
    incident: names.get(side.counts) ?? null,
    parts: Object.fromEntries(side.failure.signatureParts.map((part) => [part.name, part.value])),
  };
}

function short(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}
