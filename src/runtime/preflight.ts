import { join } from 'node:path';
import { importGraphs } from '../adapters/import-graph/look-at-imports.ts';
import { checkModules } from '../adapters/node/check-module.ts';
import { nodeClock } from '../adapters/node/clock.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import { machineView } from '../adapters/node/machine.ts';
import type { SnapshotStore } from '../adapters/store/index.ts';
import { checksFor } from '../catalog/checks/index.ts';
import type { Redactor } from '../domains/incidents/index.ts';
import { runChecks, type Check, type CheckContext, type CheckMemory, type CheckReport, type Finding } from '../domains/preflight/index.ts';
import type { BootId, Logger, Spawner } from '../kernel/index.ts';
import type { GraceConfig } from './config/index.ts';
import { askOnce, type RefusedLogins } from './refused-logins.ts';

export interface PreflightOptions {
  readonly config: GraceConfig;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly ownDirs: readonly string[];
  /** Grace's data directory, also in a dry run, which works in another and changes nothing here. */
  readonly home: string;
  readonly isDryRun: boolean;
  readonly spawner: Spawner;
  readonly snapshots: SnapshotStore;
  readonly bootId: BootId;
  /** Keyed: what was looked at cannot be guessed from it. */
  readonly digest: (text: string) => string;
  readonly redactor: Redactor;
  readonly environmentOf: CheckContext['environmentOf'];
  readonly schemas: CheckContext['schemas'];
  readonly migrations: CheckContext['migrations'];
  /** Of the whole boot, also of what looks at the databases. */
  readonly logins: RefusedLogins;
  readonly service: CheckContext['service'];
}

/** Runs the checks of one moment of a boot, with the adapters they need; loaded when the first one runs. */
export function preflightReports(when: Check['when'], options: PreflightOptions): Promise<readonly CheckReport[]> {
  const { config, logger, signal, ownDirs, home, isDryRun, spawner, environmentOf, schemas, migrations, redactor } = options;
  const context: CheckContext = {
    projectDir: config.projectDir,
    components: config.components.filter(({ kind }) => kind === 'process'),
    dependencies: config.components.filter(({ kind }) => kind === 'dependency'),
    settings: config.preflight,
    ownDirs,
    clock: nodeClock,
    files: nodeFiles,
    spawner,
    // Most boots find that nothing has changed, and need no thread.
    lint: async (texts, until) => (await import('../adapters/node/lint-in-thread.ts')).lintInThread(texts, until),
    runModule: checkModules(spawner),
    ask: async (question, until) => (await import('../adapters/node/ask-http.ts')).askHttp(question, until),
    askServer: askOnce(options.logins, async (question, until) =>
      (await import('../adapters/protocols/index.ts')).askServer(question, until),
    ),
    machine: machineView(spawner),
    imports: importGraphs(spawner, join(home, 'import-graph.json'), !isDryRun),
    schemas,
    migrations,
    readOpenApi: async (text, until) => (await import('../adapters/node/openapi-in-thread.ts')).openApiInThread(text, until),
    service: options.service,
    smokeTested: new Set(config.smoke.flatMap(({ component }) => component ?? [])),
    signal,
    environmentOf,
  };
  const checks = checksFor(config.preflight).filter((check) => check.when === when);
  return runChecks(checks, context, { clock: nodeClock, logger, memory: memoryIn(options) }).then((reports) =>
    redactor.redactReport(reports),
  );
}

type Remembered = Readonly<Record<string, { readonly digest: string; readonly findings: readonly Finding[] }>>;

/** The last answer of each check, in the store; a digest of another key or input is no answer. */
function memoryIn({ snapshots, bootId, digest, redactor }: PreflightOptions): CheckMemory {
  const all = async (): Promise<Remembered> => JSON.parse((await snapshots.get('grace', 'checks')) ?? '{}') as Remembered;
  // One after the other: each writes all of them.
  let writing: Promise<void> = Promise.resolve();
  return {
    async recall(check, inputs) {
      const known = (await all())[check];
      return known?.digest === digest(inputs) ? known.findings : null;
    },
    keep(check, inputs, findings) {
      const write = async (): Promise<void> => {
        const answers = { ...(await all()), [check]: { digest: digest(inputs), findings: redactor.redactReport(findings) } };
        await snapshots.put('grace', 'checks', bootId, JSON.stringify(answers));
      };
      writing = writing.then(write, write);
      return writing;
    },
  };
}
