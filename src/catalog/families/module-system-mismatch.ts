import { join } from 'node:path';
import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { diagnosis, LIKELY, PERHAPS, PLAUSIBLE, SURE, text } from './answer.ts';
import { hasSuspects } from './changed-code.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { packageOf } from './package-missing.ts';
import { driftAt, isInPackages, isOwn, shownPath } from './places.ts';
import { careFor, restoring } from './restore.ts';
import { beforeAndNow } from './before-and-now.ts';

/**
 * Code is read as the wrong kind: an ES module as CommonJS, the other way round, or TypeScript by a Node that has none. What
 * decides is `type` in package.json, the ending of the file, and the version of Node.
 */
export const moduleSystemMismatch: FailureFamily = {
  name: 'module_system_mismatch',
  title: 'code is read as the wrong kind of module',
  async diagnose(c) {
    const [fact] = factsOf(c, 'module_system_mismatch');
    return fact === undefined ? [] : [await diagnoseMismatch(c, fact)];
  },
  guard: (g) => guardOfSteps('module_system_mismatch', g),
};

async function diagnoseMismatch(c: CaseFile, fact: Fact): Promise<Diagnosis> {
  const manifest = join(c.component.cwd, 'package.json');
  const runtime = c.drift.filter((d) => d.kind === 'runtime').map((d) => d.message);
  const common = { evidence: [fact.line, ...runtime], advice: [...adviceFor(c, fact), ...runtime.map((message) => `go back: ${message}`)] };
  const cause = causeOf(c, fact);
  const drift = driftAt(c, manifest, 'changed');
  if (drift?.canRestore && isOwn(c.component, manifest) && !isInPackages(fact.subject) && (await typeChanged(c, manifest)))
    return diagnosis('module_system_mismatch', {
      ...common,
      cause: `${cause}; "type" in package.json is another one than at the last good boot`,
      confidence: SURE,
      evidence: [...common.evidence, drift.message],
      remedy: restoring(c, manifest),
    });
  const changed = driftAt(c, fact.subject, 'changed');
  if (changed?.canRestore && isOwn(c.component, fact.subject))
    return diagnosis('module_system_mismatch', {
      ...common,
      cause: `${cause}; it changed since the last good boot`,
      confidence: LIKELY,
      evidence: [...common.evidence, changed.message],
      remedy: restoring(c, fact.subject, careFor(fact.subject, changed)),
    });
  return diagnosis('module_system_mismatch', { ...common, cause, confidence: hasSuspects(c) ? PERHAPS : PLAUSIBLE });
}

async function typeChanged(c: CaseFile, manifest: string): Promise<boolean> {
  const versions = await beforeAndNow(c, manifest);
  return versions !== null && typeIn(versions.before) !== typeIn(versions.now);
}

/** What a file without an ending of its own is; null when the manifest cannot be read. */
function typeIn(manifest: string): string | null {
  try {
    return (JSON.parse(manifest) as { type?: unknown }).type === 'module' ? 'module' : 'commonjs';
  } catch {
    return null; // a broken manifest is another failure
  }
}

function causeOf(c: CaseFile, fact: Fact): string {
  const shown = fact.subject === '' ? 'a file' : shownPath(c.component, fact.subject);
  const name = isInPackages(fact.subject) ? `the package ${packageOf(fact.subject) ?? shown}` : shown;
  switch (fact.code) {
    case 'import_in_commonjs':
      return `${shown} is written as an ES module and is read as CommonJS`;
    case 'commonjs_in_module':
      return `${shown} uses ${text(fact, 'name')}, and is read as an ES module, which has none`;
    case 'ERR_UNSUPPORTED_DIR_IMPORT':
      return `an ES module imports the directory ${shown}, and has to name a file`;
    case 'ERR_IMPORT_ATTRIBUTE_MISSING':
      return `an import of JSON is written in a way that this Node does not read: ${shown}`;
    case 'ERR_REQUIRE_ESM':
    case 'ERR_REQUIRE_ASYNC_MODULE':
      return `${name} is an ES module that can only be imported, and the code requires it`;
    default:
      return text(fact, 'wants') === 'typescript'
        ? `${shown} is TypeScript that this Node cannot run as it is`
        : `Node does not know what kind of file ${shown} is`;
  }
}

function adviceFor(c: CaseFile, fact: Fact): readonly string[] {
  switch (fact.code) {
    case 'import_in_commonjs':
      return ['set "type": "module" in package.json, or name the file .mjs', 'or start what the build has made of it'];
    case 'commonjs_in_module':
      return ['name the file .cjs, or take "type": "module" out of package.json', 'or write it as an ES module'];
    case 'ERR_UNSUPPORTED_DIR_IMPORT':
      return [`import ${shownPath(c.component, fact.subject)}/index.js`];
    case 'ERR_IMPORT_ATTRIBUTE_MISSING':
      return ["write it with { type: 'json' }; `assert` was its name before Node 22"];
    case 'ERR_REQUIRE_ESM':
    case 'ERR_REQUIRE_ASYNC_MODULE':
      return ['import it with import()', 'or go back to the version of it that could be required, or to a newer Node'];
    default:
      return text(fact, 'wants') === 'typescript'
        ? ['build it and start what the build makes, or start it with tsx', 'or use a Node that reads TypeScript']
        : ['start a file that Node can read'];
  }
}
