/** The project under version control, as far as going back to an earlier release needs it. No other machine is ever asked. */
export interface WorkTrees {
  /** Null outside of a repository; a text: why it cannot be worked with. */
  look(dir: string): Promise<WorkTree | string | null>;
  /**
   * What moving from one commit to another would change.
   * @param to  all or the first digits of a commit
   * @returns a text: why it cannot be moved there
   */
  between(root: string, from: string, to: string): Promise<CommitChange | string>;
  /** Those of these paths that are tracked. */
  tracked(root: string, paths: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Gives these tracked files the content of what is checked out: whoever calls it has moved theirs aside.
   * @throws WorkTreeStuck
   */
  clean(root: string, paths: readonly string[]): Promise<void>;
  /**
   * Never by force: what is not committed, not tracked or ignored stays, or nothing is moved.
   * @param branch  the one to be on then, which has to lead to that commit; empty: none
   * @throws WorkTreeStuck in the words of the version control
   */
  move(root: string, commit: string, branch: string): Promise<void>;
}

export interface WorkTree {
  readonly root: string;
  /** All digits; empty before the first commit. */
  readonly commit: string;
  /** Empty when no branch is checked out. */
  readonly branch: string;
  /** Tracked files whose content is not that of the commit, absolute. */
  readonly changed: readonly string[];
  /** Those of them that are already noted for the next commit. */
  readonly staged: readonly string[];
  /** `a merge`, `a rebase` …; null when nothing is. */
  readonly underWay: string | null;
}

export interface CommitChange {
  /** All digits of the commit it leads to. */
  readonly commit: string;
  readonly files: readonly { readonly path: string; readonly change: 'added' | 'changed' | 'removed' }[];
  /** Those of them that hold a SQLite database in one of the two commits, absolute. */
  readonly databases: readonly string[];
  /** `1a2b3c4 Use the new client`, newest first: what is taken away by it. A few, cut to a line and redacted. */
  readonly without: readonly string[];
  readonly withoutCount: number;
}
