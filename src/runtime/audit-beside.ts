import { join } from 'node:path';
import { nodeClock } from '../adapters/node/clock.ts';
import { Redactor } from '../domains/incidents/index.ts';
import { Audit, type AuditOptions } from './audit.ts';

/**
 * The log for a command beside a Grace that may be running: they share it. Nothing is opened before something is written.
 * @param service  the log is named for it, where this command makes its key
 */
export function auditBeside(dataDir: string, service: string, clock: AuditOptions['clock'] = nodeClock): Audit {
  const redactor = new Redactor();
  redactor.learnEnvironment(process.env);
  return new Audit({
    path: join(dataDir, 'grace.db'),
    service,
    clock,
    redactor,
    // The command fails with it.
    onTrouble: () => undefined,
  });
}
