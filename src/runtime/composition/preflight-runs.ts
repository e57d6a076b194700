import type { SnapshotStore } from '../../adapters/store/index.ts';
import type { CoreChecks } from '../../domains/boot/index.ts';
import type { Redactor } from '../../domains/incidents/index.ts';
import type { ComponentRunner, ProcessHost } from '../../domains/supervisor/index.ts';
import type { BootId, Logger, Spawner } from '../../kernel/index.ts';
import type { GraceConfig } from '../config/index.ts';
import { CHECKS } from '../cut-off.ts';
import type { RefusedLogins } from '../refused-logins.ts';
import type { ServiceDatabases } from '../service-databases.ts';
import { serviceView } from '../service-view.ts';
import type { ComponentLaunches } from './component-launches.ts';
import { markedSpawner } from './marked-spawner.ts';

export interface PreflightRunsOptions {
  readonly config: GraceConfig;
  /** See `ComposeOptions`. */
  readonly home: string;
  readonly installation: string;
  readonly bootId: BootId;
  readonly isDryRun: boolean;
  readonly logger: Logger;
  readonly redactor: Redactor;
  readonly signal: AbortSignal;
  readonly snapshots: SnapshotStore;
  readonly digest: (text: string) => string;
  readonly environmentOf: ComponentLaunches['environmentOf'];
  readonly databases: ServiceDatabases;
  readonly logins: RefusedLogins;
  readonly host: ProcessHost;
  /** Where the library writes down which routes a service has. */
  readonly routesDir: string;
  runners(): ReadonlyMap<string, ComponentRunner>;
}

/** Runs the pre-flight checks, and ends what they leave behind; loaded when the first one is asked for. */
export function preflightRuns(options: PreflightRunsOptions): CoreChecks['preflight'] {
  const { config, home, installation, databases, host, runners, routesDir, ...given } = options;
  let runs = 0;
  return async (when) => {
    // Most configs ask for nothing: then the start does not wait until the checks are loaded.
    const { checks, envSchemas, vault, schemaWhen } = config.preflight;
    const isAsked = checks.length > 0 || envSchemas.size > 0 || typeof vault === 'object' || schemaWhen === when;
    if (when === 'before_start' && !isAsked) return [];
    const { preflightReports } = await import('../preflight.ts');
    // A mark of its own for each run: what a check leaves behind in a session of its own is ended with it, and nothing else is.
    const mark = `${CHECKS}/${process.pid}.${++runs}`;
    const marked = markedSpawner(installation, mark);
    let hasStarted = false;
    const spawner: Spawner = {
      run(argv, asked) {
        hasStarted = true;
        return marked.run(argv, asked);
      },
    };
    try {
      return await preflightReports(when, {
        ...given,
        config,
        home,
        ownDirs: [home, config.dataDir, config.playbooksDir],
        spawner,
        schemas: { isThere: databases.isThere, look: databases.look },
        migrations: databases.migrations,
        service: when === 'when_ready' ? serviceView(runners(), host, routesDir) : null,
      });
    } finally {
      if (hasStarted) await host.endAll(mark, 'SIGKILL', 0);
    }
  };
}
