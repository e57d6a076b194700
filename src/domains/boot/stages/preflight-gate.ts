import { messageOf } from '../../../kernel/index.ts';
import type { Fact } from '../../incidents/index.ts';
import type { PortHolder } from '../../playbooks/index.ts';
import type { CheckFailure } from '../../healing/index.ts';
import type { ComponentSpec } from '../../supervisor/index.ts';
import type { Finding } from '../../preflight/index.ts';
import { failedCheck, finding, stageTitle, type BootContext, type Stage } from '../boot-context.ts';
import { StageParts } from '../stage-parts.ts';

/** Below this the store and the logs of the next hours have no room. */
const DISK_BYTES_MIN = 16 * 1024 * 1024;

export const preflightGate: Stage = {
  number: 1,
  name: 'Preflight Gate',
  onFailure: 'abort',
  async run(context) {
    const findings: Finding[] = [];
    const fixes: string[] = [];
    const failures: string[] = [];
    const parts = new StageParts(context, findings, failures);
    const store = await parts.run('store', 'store of Grace', 'store', async () => {
      const schema = await context.core.storeSchema();
      for (const table of schema.missing) {
        findings.push(
          finding(
            'error',
            'store_table_missing',
            'grace',
            `the store has no table ${table}`,
            'restore .grace/grace.db from a backup, or move it away to begin anew',
          ),
        );
        failures.push(`the store has no table ${table}`);
      }
      const room = await context.files.diskRoom(context.dataDir);
      if (room !== null && room.freeBytes < DISK_BYTES_MIN)
        findings.push(
          finding(
            'warn',
            'disk_nearly_full',
            'grace',
            `only ${Math.round(room.freeBytes / 1024)} KiB are free where Grace keeps its data`,
            'free some space, or move it with GRACE_DATA_DIR',
          ),
        );
      return schema;
    });
    await parts.run('ports_and_places', 'ports, folders and data', 'services', async () => {
      const processes = context.components.filter((c) => c.kind === 'process' && !context.reconciled.adopted.includes(c.name));
      const results = await Promise.all(
        processes.map(async (spec) => {
          const result = await context.supervision.passCheck(spec, stageTitle(preflightGate), () => machineCheck(spec, context));
          return { spec, result };
        }),
      );
      for (const { spec, result } of results) {
        fixes.push(...result.fixes.map((f) => `${spec.name}: ${f}`));
        if (result.state === 'failed') {
          findings.push(failedCheck('preflight_failed', spec.name, result));
          if (spec.critical) failures.push(`${spec.name}: ${result.cause}`);
        }
      }
    });
    await parts.run('guards', 'failures about to come back', 'mission_control', async () => {
      for (const spec of context.components) {
        try {
          context.guardFindings.push(...(await context.core.guards(spec)));
        } catch (error) {
          findings.push(finding('warn', 'guard_broke', spec.name, `a guard could not look: ${messageOf(error)}`, 'see the log of Grace'));
        }
      }
      for (const found of context.guardFindings) findings.push({ ...found, severity: 'warn' });
    });
    const errors = findings.filter((f) => f.severity === 'error').length;
    return {
      result: failures.length > 0 ? 'failed' : errors > 0 || findings.length > 0 ? 'warned' : 'success',
      metrics: {
        'startup.store_created': store.isNew ? 1 : 0,
        'startup.preflight_status': failures.length > 0 ? 'fail' : 'pass',
        'startup.validation_errors': errors,
        'startup.schema_mismatches': store.missing.length + (store.version === store.expected ? 0 : 1),
      },
      findings,
      parts: parts.list,
      fixes,
      failure: failures.length > 0 ? failures.join('; ') : null,
      detail:
        failures.length > 0
          ? 'NO-GO'
          : context.guardFindings.length > 0
            ? `${context.guardFindings.length} known failure${context.guardFindings.length === 1 ? '' : 's'} about to come back`
            : 'GO',
    };
  },
};

/** What the machine says before anything is started: cheap looks only, and only at what is declared. */
async function machineCheck(spec: ComponentSpec, context: BootContext): Promise<CheckFailure | null> {
  const cwd = await context.files.stat(spec.cwd);
  if (cwd === null)
    return { message: `its directory ${spec.cwd} does not exist`, facts: [fact('path_missing', spec.cwd)], mustPass: spec.critical };
  if (spec.port !== null) {
    const holder = await context.view.portHolder(spec.port, spec.name);
    if (holder !== null && holder.relation !== 'managed')
      return {
        message: `port ${spec.port} is held by ${await describe(holder, context)}`,
        facts: [fact('port_in_use', String(spec.port))],
        mustPass: spec.critical,
      };
  }
  return namedCheck(spec, context);
}

/** What its command and its configuration name, as it was at the last good boot: also asked while it runs. */
export async function namedCheck(spec: ComponentSpec, context: BootContext): Promise<CheckFailure | null> {
  const [gone] = await context.core.missingNamed(spec);
  if (gone !== undefined) {
    const message = `${gone} is gone; the last good boot had it`;
    const kind = (await context.files.stat(gone))?.kind === 'directory' ? 'is_a_directory' : 'path_missing';
    return { message, facts: [fact(kind, gone, message)], mustPass: spec.critical };
  }
  const [taken] = await context.core.takenAway(spec);
  if (taken !== undefined) {
    const message = `${taken} belongs to another user now, who keeps the one of the last good boot out`;
    return { message, facts: [fact('permission_denied', taken, message)], mustPass: spec.critical };
  }
  const left = await context.core.dataLeftBehind(spec);
  if (left !== null) {
    const message = `${left.config} names ${left.now}, where nothing is; at the last good boot it named ${left.data}, where the data still is`;
    return { message, facts: [fact('config_invalid', left.config, message)], mustPass: spec.critical };
  }
  return null;
}

/** Pid, command, user, and since when; a process that may not be seen has none of them. */
async function describe(holder: PortHolder, { view }: BootContext): Promise<string> {
  if (holder.pid === 0) return holder.command;
  const since = new Date(holder.startedAtMs).toISOString().slice(0, 16).replace('T', ' ');
  return `pid ${holder.pid} (${holder.command}), of ${await view.userName(Number(holder.user))} since ${since} UTC`;
}

/** What Grace found out by itself, in the same words as what it reads from an output. */
export function fact(kind: Fact['kind'], subject: string, line = ''): Fact {
  return { kind, runtime: 'grace', code: kind.toUpperCase(), subject, details: {}, line, lineIndex: 0 };
}
