import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { diagnosis, failsToWork, GUESS, LIKELY, linesOf, PERHAPS, PLAUSIBLE, SURE, text, WORDS_ONLY } from './answer.ts';
import { settingAside } from './drop-in.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import {
  absolutePath,
  driftAt,
  driftPath,
  isConfigOfCommand,
  isInCommand,
  isInPackages,
  isNamedIn,
  isOwn,
  mayBeData,
  shownPath,
} from './places.ts';
import { careFor, restoring } from './restore.ts';
import { beforeAndNow } from './before-and-now.ts';

/** A configuration or code file cannot be read any more, or says something invalid. */
export const configCorrupt: FailureFamily = {
  name: 'config_corrupt',
  title: 'a configuration file is broken',
  async diagnose(c) {
    const facts = factsOf(c, 'syntax_error', 'config_invalid').filter((f) => !isInPackages(f.subject));
    const found = new Map<string, Diagnosis>();
    for (const fact of facts) {
      const path = await pathOf(c, fact);
      if (path !== null && !found.has(path)) found.set(path, await diagnoseNamed(c, fact, path));
    }
    const pointing = factsOf(c, ...SET_IN_CONFIGURATION);
    const isUnnamed = facts.length > 0 && found.size === 0;
    for (const drift of facts.length + pointing.length > 0 || failsToWork(c) ? c.drift : []) {
      const path = driftPath(c.component, drift);
      if (
        path === null ||
        drift.kind !== 'changed' ||
        !drift.canRestore ||
        found.has(path) ||
        !isOwn(c.component, path) ||
        isInPackages(path)
      )
        continue;
      const isSettings = !mayBeData(path) || isConfigOfCommand(c.component, path);
      const isWanted = isInCommand(c.component, path) || c.component.envFiles.includes(path);
      const key = facts.find((f) => f.kind === 'config_invalid' && f.subject !== '' && isNamedIn(f.line, c.component, path));
      if (drift.isBroken)
        found.set(
          path,
          broken(
            c,
            path,
            drift.message,
            linesOf(facts),
            isUnnamed ? LIKELY : facts.length > 0 ? 0.7 : isExplainedElsewhere(c) ? 0.45 : isWanted ? LIKELY : PLAUSIBLE,
          ),
        );
      else if (isSettings && (await saysIt(c, path, pointing))) found.set(path, changed(c, path, pointing, LIKELY));
      else if (isUnnamed && isSettings && (await saysIt(c, path, facts))) found.set(path, changed(c, path, facts, LIKELY));
      else if (isUnnamed && isSettings && (isWanted || key !== undefined)) found.set(path, changed(c, path, facts, WORDS_ONLY));
    }
    if (isUnnamed && found.size === 0)
      for (const fact of facts.slice(0, 2))
        found.set(
          fact.line,
          diagnosis('config_corrupt', {
            cause:
              fact.kind === 'config_invalid'
                ? `the configuration is not valid${fact.subject ? `: ${fact.subject}` : ''}`
                : `a file cannot be read: ${fact.line}`,
            confidence: WORDS_ONLY,
            evidence: [fact.line],
            advice: [`correct ${fact.subject || 'the file that the message means'}`],
          }),
        );
    return [...found.values()];
  },
  guard: (g) => guardOfSteps('config_corrupt', g),
};

/** Not about a file by themselves; but what they name is a value that a configuration sets. */
const SET_IN_CONFIGURATION = [
  'option_invalid',
  'address_unavailable',
  'locale_missing',
  'time_zone_missing',
  'memory_refused',
  'extension_missing',
  'server_limit',
] as const;

/** The file now has the very word that is complained about, and had it not at the last good boot. */
async function saysIt(c: CaseFile, path: string, facts: readonly Fact[]): Promise<boolean> {
  const words = facts.filter((f) => f.kind !== 'syntax_error' && /^[\w.:/@+-]{3,}$/.test(f.subject)).map((f) => f.subject);
  if (words.length === 0) return false;
  const versions = await beforeAndNow(c, path);
  return versions !== null && words.some((word) => versions.now.includes(word) && !versions.before.includes(word));
}

async function pathOf(c: CaseFile, fact: Fact): Promise<string | null> {
  for (const written of [fact.subject, text(fact, 'path'), text(fact, 'file')]) {
    if (!/[./]/.test(written)) continue;
    const path = absolutePath(c.component, written);
    if (path === null) continue;
    if ((await c.files.stat(path))?.kind === 'file' || driftAt(c, path, 'changed', 'missing') !== null) return path;
    const sameName = c.drift
      .map((d) => (d.kind === 'changed' ? driftPath(c.component, d) : null))
      .find((p) => p !== null && p.endsWith(`/${written.replace(/^\.\//, '')}`));
    if (sameName) return sameName;
  }
  return null;
}

async function diagnoseNamed(c: CaseFile, fact: Fact, path: string): Promise<Diagnosis> {
  const shown = shownPath(c.component, path);
  const place = fact.details['line'] === undefined ? '' : ` at line ${String(fact.details['line'])}`;
  const cause =
    fact.kind === 'syntax_error' ? `${shown} cannot be read: syntax error${place}` : `${shown} is not a valid configuration${place}`;
  const drift = driftAt(c, path, 'changed');
  if (isOwn(c.component, path) && drift?.canRestore)
    return diagnosis('config_corrupt', {
      cause: `${cause}; it was fine at the last good boot`,
      confidence: drift.isBroken || fact.kind === 'syntax_error' ? SURE : LIKELY,
      evidence: [fact.line, drift.message],
      // What its own interpreter cannot read is broken, whether or not anybody here knows the language.
      remedy: restoring(c, path, careFor(path, { ...drift, isBroken: drift.isBroken || fact.kind === 'syntax_error' })),
      advice: [`correct ${shown}${place}`],
      waitFor: { kind: 'file_change', path },
    });
  const aside = await settingAside(c, path);
  if (aside !== null)
    return diagnosis('config_corrupt', {
      cause: `${cause}; it was not there at the last good boot`,
      confidence: LIKELY,
      evidence: [fact.line],
      remedy: aside,
      advice: [`correct ${shown}${place}; it is kept, and used again once it is put back`],
      waitFor: { kind: 'file_change', path },
    });
  return diagnosis('config_corrupt', {
    cause,
    confidence: fact.kind === 'syntax_error' ? PERHAPS : WORDS_ONLY,
    evidence: [fact.line],
    advice: [`correct ${shown}${place}`],
    waitFor: { kind: 'file_change', path },
  });
}

function broken(c: CaseFile, path: string, message: string, lines: readonly string[], confidence: number): Diagnosis {
  const shown = shownPath(c.component, path);
  return diagnosis('config_corrupt', {
    cause: `${shown} cannot be read any more; its copy of the last good boot can`,
    confidence,
    evidence: [message, ...lines],
    remedy: restoring(c, path),
    advice: [`correct ${shown}`],
    waitFor: { kind: 'file_change', path },
  });
}

function changed(c: CaseFile, path: string, facts: readonly Fact[], confidence: number): Diagnosis {
  const drift = driftAt(c, path, 'changed');
  return diagnosis('config_corrupt', {
    cause: `the configuration is not valid, and ${shownPath(c.component, path)} changed since the last good boot`,
    confidence: facts.length > 0 ? confidence : GUESS,
    evidence: [...linesOf(facts), drift?.message ?? ''],
    remedy: restoring(c, path, careFor(path, drift)),
    advice: [`check the last change of ${shownPath(c.component, path)}`],
  });
}

/** The output names a cause that no file of ours has to do with. */
export function isExplainedElsewhere(c: CaseFile): boolean {
  const kinds = [
    'port_in_use',
    'port_forbidden',
    'connection_refused',
    'host_unresolved',
    'auth_failed',
    'database_missing',
    'too_many_connections',
    'disk_full',
    'out_of_memory',
    'too_many_open_files',
    'command_missing',
    'lock_held',
    'database_locked',
    'migration_pending',
    'relation_missing',
    'relation_exists',
    'encoding_error',
    'read_only_file_system',
    'native_module_broken',
    'runtime_version_mismatch',
    'not_ready_yet',
    'module_missing',
    'permission_denied',
    // the Node world
    'build_missing',
    'client_not_generated',
    'package_manager_mismatch',
    'package_manager_unavailable',
    'service_busy',
    'library_missing',
    'library_too_old',
    'process_limit',
    'shared_memory_full',
    'watch_limit',
    'clock_wrong',
    'own_name_unresolved',
    'storage_failing',
    'rights_missing',
    'host_refused',
    'data_version_mismatch',
    'constraint_violated',
    'pool_exhausted',
    'migration_changed',
    'migration_failed',
    'migration_locked',
    'declaration_conflict',
    'queue_missing',
    'server_full',
    'no_quorum',
  ] as const;
  return factsOf(c, ...kinds).length > 0;
}
