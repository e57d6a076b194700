import { lockHolder } from '../../adapters/node/instance-lock.ts';
import type { Answer } from './answer.ts';
import type { OwnAudit } from './audit-source.ts';
import { paint } from './terminal.ts';
import { count } from './when.ts';

export interface ReopenAsked {
  readonly by: string;
  readonly reason: string;
  readonly isAgreed: boolean;
  /** Null where nobody can be asked. */
  readonly ask: ((question: string) => Promise<boolean>) | null;
}

/**
 * `grace audit reopen`: a log whose end is damaged goes on without it, because a person says so. No policy can be asked, since no
 * decision can be recorded before. What is set aside stays in the store, and the entry that follows has its digest.
 * @throws AuditKeyUnusable, and whatever keeps the log from taking the entry: then nothing changed
 */
export async function reopenAudit({ audit, source, dataDir }: OwnAudit, { by, reason, isAgreed, ask }: ReopenAsked): Promise<Answer> {
  const damage = await audit.damage();
  const stays = (exitCode: 0 | 1, lines: readonly string[], more: Readonly<Record<string, unknown>> = {}): Answer => ({
    exitCode,
    data: { reopened: false, damage, ...more },
    lines,
  });
  if (damage === null)
    return stays(0, [
      'the end of the log is whole, and it takes entries: there is nothing to reopen',
      'whether all of it is what was written says: grace audit verify',
    ]);
  const found = `${paint('red', 'damaged')}: ${damage.why}`;
  if (damage.kind === 'signed')
    return stays(1, [
      found,
      'this is in the part that a signed head covers: going on without it would be another history, and verify would say so',
      'see where: grace audit verify; then put grace.db back from a backup, with its audit.key and audit.head',
    ]);
  const setAside = Math.max(0, (await source.reader.size()) - damage.sequence);
  const lines = [
    found,
    `the ${damage.sequence} entries before it are whole; no signed head in the store covers what comes after them`,
    setAside === 0
      ? 'what is left of it would be set aside, in the table audit_set_aside of the store'
      : `${count(setAside, 'entry').replace('entrys', 'entries')} from ${damage.sequence} on would be set aside, in the table audit_set_aside of the store`,
    'what they told of has happened all the same: the log will not show it any more',
  ];
  if (!isAgreed && ask === null)
    return stays(1, [...lines, 'nothing was changed: keep a copy of grace.db and audit.key, and say --yes to go on without it'], {
      would_set_aside: setAside,
    });
  if (!isAgreed && !(await ask?.([...lines, 'Go on without it?'].join('\n'))))
    return stays(1, ['nothing was changed'], { would_set_aside: setAside });
  await audit.reopen(by, reason);
  const checkpoint = await audit.head();
  const pid = lockHolder(dataDir)?.pid ?? null;
  return {
    exitCode: 0,
    data: { reopened: true, damage, set_aside: setAside, checkpoint },
    lines: [
      ...(isAgreed ? lines.slice(0, 2) : []),
      `${paint('green', 'reopened')}: the log takes entries again, and entry ${damage.sequence} says that ${by} did this, and why`,
      ...(pid === null ? [] : [`Grace (pid ${pid}) sees it with its next entry; when it still takes none, start it again`]),
    ],
  };
}
