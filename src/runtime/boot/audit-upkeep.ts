import { nodeClock } from '../../adapters/node/clock.ts';
import type { Emit } from '../../domains/healing/index.ts';
import { messageOf, type Logger } from '../../kernel/index.ts';
import type { Audit } from '../audit.ts';
import type { GraceConfig } from '../config/index.ts';

export interface AuditUpkeepPorts {
  readonly config: Pick<GraceConfig, 'audit' | 'projectDir'>;
  readonly audit: Audit | null;
  readonly emit: Emit;
  readonly logger: Logger;
}

const DAY_MS = 86_400_000;

/** At once, then daily until the signal: old payloads go under the policy, and the head goes to the places outside. */
export async function keepAudit(ports: AuditUpkeepPorts, signal: AbortSignal): Promise<void> {
  const { audit, logger } = ports;
  const { keepPayloadsMs } = ports.config.audit;
  if (audit === null) return;
  while (!signal.aborted) {
    await anchorAudit(ports);
    try {
      if (keepPayloadsMs !== null) await audit.dropPayloads(keepPayloadsMs);
    } catch (error) {
      logger.warn('old contents of the audit log could not be dropped', { error: messageOf(error) });
    }
    await nodeClock.sleep(DAY_MS, signal).catch(() => undefined); // aborted
  }
}

/** Keeps the head at the places outside that the configuration names, where they do not have it yet. */
export async function anchorAudit({ config, audit, emit, logger }: AuditUpkeepPorts): Promise<void> {
  if (audit === null || (config.audit.anchorFile === null && !config.audit.anchorGit)) return;
  const before = audit.lastAnchored;
  const head = await audit.head();
  if (head === null || head === before) return;
  const { anchorHead } = await import('../audit-anchors.ts');
  const problems = await anchorHead(head, config.audit, config.projectDir);
  if (problems.length === 0) audit.lastAnchored = head;
  for (const problem of problems) {
    logger.warn('the head of the audit log could not be kept outside', { problem });
    emit({ type: 'notice', level: 'warn', text: `the head of the audit log could not be kept outside: ${problem}` });
  }
}
