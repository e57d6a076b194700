import { dirname, join } from 'node:path';
import { filesTouched } from '../../adapters/node/git.ts';
import { fileLogger } from '../../adapters/node/file-logger.ts';
import { nodeSpawner } from '../../adapters/node/spawner.ts';
import type { BootRecord } from '../../domains/boot/index.ts';
import { cleanLines, Redactor, type ExplainedChange } from '../../domains/incidents/index.ts';
import {
  compareFingerprints,
  describeChange,
  fingerprintFrom,
  LIKELY_WEIGHT,
  rankSuspects,
  type Fingerprint,
  type FingerprintChange,
} from '../../domains/learning/index.ts';
import { loadConfig } from '../../runtime/config/index.ts';
import type { Answer } from './answer.ts';
import { theBoot } from './find.ts';
import type { LookOptions, Memory } from './memory.ts';
import { outcomeOf } from './boots.ts';
import { columns, paint, table, wrap } from './terminal.ts';
import { count, iso, when } from './when.ts';

const BOOTS_MAX = 500;
const GIT_MS = 5000;
/** Suspects shown first; the rest stands in its group. */
const SUSPECTS_SHOWN = 6;

/**
 * `grace diff`: what changed between two boots, and what of it is suspicious when the later one failed. Without names the
 * newest boot with a fingerprint and the last verified one before it; with one name, that boot and the last verified one
 * before it.
 */
export async function diff(memory: Memory, first: string | undefined, second: string | undefined): Promise<Answer> {
  const boots = await memory.boots.list(BOOTS_MAX);
  const newest = boots[0];
  const after =
    second !== undefined
      ? await theBoot(memory, second)
      : first !== undefined
        ? await theBoot(memory, first)
        : boots.find((b) => hasFingerprint(b));
  const before =
    first !== undefined && second !== undefined
      ? await theBoot(memory, first)
      : boots.find((b) => after !== undefined && b.startedAtMs < after.startedAtMs && b.isVerified && hasFingerprint(b));
  const notes: string[] = [];
  if (first === undefined && newest !== undefined && after !== undefined && newest.id !== after.id)
    notes.push(`${newest.id}, the newest boot, kept no fingerprint: only boots that failed, or were up for their soak time, do`);
  const refusal =
    after === undefined
      ? 'no boot here has a fingerprint yet: one is kept when a boot fails, or is up and stays so'
      : before === undefined
        ? `there is no verified boot with a fingerprint before ${after.id}`
        : (lacking(before) ?? lacking(after));
  if (refusal !== null || before === undefined || after === undefined) return refused(before, after, refusal ?? '', notes);
  const now = fingerprintFrom(after.fingerprint);
  return compared(memory, before, now, title(after, memory.nowMs), side(after), await suspectsIn(memory, before, after), notes);
}

/** `grace diff --now`: what changed since a boot, without booting: the world is looked at as a boot would see it. */
export async function diffNow(memory: Memory, first: string | undefined, options: LookOptions): Promise<Answer> {
  const boots = await memory.boots.list(BOOTS_MAX);
  const before = first === undefined ? boots.find((b) => b.isVerified && hasFingerprint(b)) : await theBoot(memory, first);
  const refusal = before === undefined ? 'no boot was verified here so far' : lacking(before);
  if (before === undefined || refusal !== null) return refused(before, undefined, refusal ?? '', []);
  const config = await loadConfig({
    directory: process.cwd(),
    configFile: options.config,
    environment: process.env,
    flags: { dataDir: options.dataDir },
  });
  const redactor = new Redactor();
  redactor.learnEnvironment(process.env);
  const logger = fileLogger(join(config.dataDir, 'logs', 'grace.log'), config.logLevel, (fields) => redactor.redactDeep(fields));
  // The parts that boot a service are loaded only when its world has to be looked at.
  const { fingerprintNow } = await import('../../runtime/fingerprint-now.ts');
  const now = await fingerprintNow({ config, environment: process.env, logger });
  const at = { id: 'now', at: iso(memory.nowMs), outcome: null, verified: false, has_fingerprint: true };
  // The environment of this terminal is not the one the service is started in: what only it has says nothing.
  const notes = ['variables are those of this terminal'];
  return compared(memory, before, now, paint('bold', 'now'), at, [], notes);
}

async function compared(
  memory: Memory,
  before: BootRecord,
  now: Fingerprint,
  afterTitle: string,
  afterSide: object | null,
  suspects: readonly ExplainedChange[],
  notes: readonly string[],
): Promise<Answer> {
  const changes = compareFingerprints(fingerprintFrom(before.fingerprint), now);
  const lines = [
    `${title(before, memory.nowMs)}  ${paint('dim', '->')}  ${afterTitle}`,
    ...notes.map((n) => paint('dim', n)),
    '',
    ...suspectLines(suspects),
    ...(changes.length === 0 ? ['nothing changed that a fingerprint shows'] : groupLines(changes)),
  ];
  return {
    exitCode: 0,
    data: { before: side(before), after: afterSide, comparable: true, reason: null, notes, suspects, changes },
    lines,
  };
}

/** What may be why the later boot failed, most suspicious first; empty when nothing failed in it. */
async function suspectsIn(memory: Memory, before: BootRecord, after: BootRecord): Promise<readonly ExplainedChange[]> {
  if (after.isVerified) return [];
  const lastVerified = (await memory.boots.list(BOOTS_MAX)).find((b) => b.startedAtMs < after.startedAtMs && b.isVerified);
  const explanations = await memory.incidents.explanations({ bootId: after.id, limit: BOOTS_MAX });
  // What was found at the failure itself knew more than the fingerprints tell.
  const kept = lastVerified?.id === before.id ? explanations.flatMap((e) => e.suspects ?? []) : [];
  return strongest(kept.length > 0 ? kept : await rankedAnew(memory, before, after)).slice(0, SUSPECTS_SHOWN);
}

async function rankedAnew(memory: Memory, before: BootRecord, after: BootRecord): Promise<readonly ExplainedChange[]> {
  const [was, is] = [fingerprintFrom(before.fingerprint), fingerprintFrom(after.fingerprint)];
  const changes = compareFingerprints(was, is);
  const [from, to] = [was.parts.git?.['commit'] ?? '', is.parts.git?.['commit'] ?? ''];
  const cwd = dirname(memory.dataDir);
  const touched = from === to ? null : await filesTouched(cwd, from, to, nodeSpawner, GIT_MS);
  const failures = new Map((await memory.incidents.failuresOf(after.id)).map((f) => [f.signature, f]));
  return [...failures.values()].flatMap((failure) => {
    const command = (is.commands[failure.component] ?? '').split(' ');
    const component = { name: failure.component, cwd, command, envFiles: [join(cwd, '.env')] };
    return rankSuspects({ failure, component, changes, drift: [], touched, now: is, nowMs: after.startedAtMs });
  });
}

/** Each change once, with the best reason there is for it; only what a failure points at. */
function strongest(all: readonly ExplainedChange[]): readonly ExplainedChange[] {
  const found = new Map<string, ExplainedChange>();
  for (const s of all.toSorted((a, b) => b.weight - a.weight)) {
    const key = `${s.kind} ${s.subject}`;
    if (s.weight >= LIKELY_WEIGHT && !found.has(key)) found.set(key, s);
  }
  return [...found.values()];
}

function suspectLines(suspects: readonly ExplainedChange[]): readonly string[] {
  if (suspects.length === 0) return [];
  return [
    paint('bold', 'most suspicious'),
    ...suspects.map((s, i) => {
      const what = describeChange(s as FingerprintChange);
      return `  ${i + 1}. ${paint('red', wrap(what, columns() - 5, '     '))}\n     ${paint('dim', wrap(s.reason, columns() - 5, '     '))}`;
    }),
    '',
  ];
}

/** What belongs together, in the order in which one would ask. */
const GROUPS: readonly (readonly [title: string, kinds: readonly FingerprintChange['kind'][]])[] = [
  ['code', ['git']],
  ['files', ['file', 'permission', 'certificate']],
  ['commands and variables', ['command', 'env']],
  ['packages and runtimes', ['package', 'runtime']],
  ['database', ['schema']],
  ['machine', ['machine', 'limit', 'port', 'disk', 'mount']],
];

function groupLines(changes: readonly FingerprintChange[]): readonly string[] {
  const groups = GROUPS.flatMap(([name, kinds]) => {
    const inside = changes.filter((c) => kinds.includes(c.kind));
    if (inside.length === 0) return [];
    const rows = inside.map((c) => [`  ${MARK[c.change]()}`, c.kind, plain(c.subject), c.detail === '' ? c.change : plain(c.detail)]);
    return [paint('bold', name), table(rows), ''];
  });
  return [...groups, count(changes.length, 'change')];
}

/** A file may be called anything: what moves a terminal's cursor is left out. */
function plain(text: string): string {
  return cleanLines(text).join(' ');
}

const MARK: Readonly<Record<FingerprintChange['change'], () => string>> = {
  added: () => paint('green', '+'),
  removed: () => paint('red', '-'),
  changed: () => paint('yellow', '~'),
};

function refused(before: BootRecord | undefined, after: BootRecord | undefined, reason: string, notes: readonly string[]): Answer {
  return {
    exitCode: 1,
    data: { before: side(before), after: side(after), comparable: false, reason, notes, suspects: [], changes: [] },
    lines: [`${paint('yellow', 'nothing to compare')}: ${reason}`, ...notes],
  };
}

function hasFingerprint(boot: BootRecord): boolean {
  return Object.keys(boot.fingerprint).length > 0;
}

function lacking(boot: BootRecord): string | null {
  return hasFingerprint(boot)
    ? null
    : `${boot.id} (${boot.outcome}) kept no fingerprint: only boots that failed, or were up for their soak time, do`;
}

function title(boot: BootRecord, nowMs: number): string {
  return `${paint('bold', boot.id)} ${paint('dim', `(${when(boot.startedAtMs, nowMs)}, `)}${outcomeOf(boot)}${paint('dim', ')')}`;
}

function side(boot: BootRecord | undefined): object | null {
  return boot === undefined
    ? null
    : { id: boot.id, at: iso(boot.startedAtMs), outcome: boot.outcome, verified: boot.isVerified, has_fingerprint: hasFingerprint(boot) };
}
