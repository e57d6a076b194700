import type { Grace } from '../grace.ts';
import type { Pm2 } from '../pm2.ts';
import type { Row } from '../report.ts';
import type { Workspace } from '../workspace.ts';

export interface Bench {
  readonly workspace: Workspace;
  readonly grace: Grace;
  /** Null when it could not be installed. */
  readonly pm2: Pm2 | null;
  readonly runs: number;
}

/** What is measured together because it shares its set-up. */
export interface Figure {
  readonly name: string;
  readonly measure: (bench: Bench) => Promise<readonly Row[]>;
}
