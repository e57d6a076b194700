import type { Redactor } from '../../domains/incidents/index.ts';
import type { PlaybookStore } from '../../domains/playbooks/index.ts';
import type { Snapshots } from '../../domains/snapshots/index.ts';
import type { ProcessHost } from '../../domains/supervisor/index.ts';
import type { Spawner } from '../../kernel/index.ts';
import type { Audit } from '../audit.ts';
import { auditedSnapshots } from '../audited-repositories.ts';
import type { GraceConfig } from '../config/index.ts';
import type { ComponentLaunches } from './component-launches.ts';

export interface KeptSnapshotsOptions {
  readonly config: GraceConfig;
  readonly spawner: Spawner;
  readonly redactor: Redactor;
  readonly playbooks: PlaybookStore;
  readonly environmentOf: ComponentLaunches['environmentOf'];
  readonly host: ProcessHost;
  readonly audit: Audit | null;
  /** Who takes and restores them. */
  readonly actor: string;
}

/** How components were before something changed them; loaded when the first one is taken. */
export function keptSnapshots(options: KeptSnapshotsOptions): () => Promise<Snapshots> {
  const { host, audit, actor, ...parts } = options;
  let kept: Promise<Snapshots> | undefined;
  return () =>
    (kept ??= import('../snapshots.ts').then(({ openSnapshots }) =>
      openSnapshots({ ...parts, isRunning: (name) => host.members(name).length > 0 }).then((opened) =>
        audit === null ? opened : auditedSnapshots(opened, audit, actor),
      ),
    ));
}
