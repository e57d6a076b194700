/** What a person asks of the Grace that runs, left in the store for it. */
export interface PersonRequest {
  readonly id: string;
  readonly action: 'restart_component';
  readonly component: string;
  /** The user who asked. */
  readonly by: string;
  /** What that user calls themselves; believed by nobody. */
  readonly claimedName: string | null;
  readonly reason: string;
  readonly askedAtMs: number;
  /**
   * `asked`, then `waiting` where people have to agree, then `running`, then how it ended. `withdrawn`: whoever asked
   * went away before Grace took it up. `expired`: Grace ended, or took it up too late for anybody to still want it.
   */
  readonly state: 'asked' | 'waiting' | 'running' | 'done' | 'failed' | 'refused' | 'withdrawn' | 'expired';
  readonly approval: string | null;
  /** How it stands or how it ended, for people. */
  readonly detail: string;
}

export type PersonRequestState = PersonRequest['state'];

const OPEN: readonly PersonRequestState[] = ['asked', 'waiting', 'running'];

export function isOpenRequest({ state }: PersonRequest): boolean {
  return OPEN.includes(state);
}

export interface PersonRequestStore {
  add(request: PersonRequest): Promise<void>;
  get(id: string): Promise<PersonRequest | null>;
  /** Oldest first. */
  open(): Promise<readonly PersonRequest[]>;
  /** Only from the state it was read in: of two who change it one wins. @returns whether it did */
  move(id: string, from: PersonRequestState, change: Pick<PersonRequest, 'state' | 'detail' | 'approval'>): Promise<boolean>;
}
