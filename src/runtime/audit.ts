import type { AuditDamage, AuditLog, AuditedChange } from '../adapters/store/audit/index.ts';
import { isLost } from '../adapters/store/index.ts';
import type { AuditAction, AuditDraft } from '../domains/audit/index.ts';
import { GraceError, messageOf, sha256Hex, type Clock, type Json, type JsonObject } from '../kernel/index.ts';

/** An entry as Grace's own parts give it: its action is one of the list. */
export interface AuditNote extends Omit<AuditDraft, 'payload' | 'action'> {
  readonly action: AuditAction;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Statements of the store, and the entries that tell of them. */
type NotedChange = Pick<AuditedChange, 'changes'> & { readonly entries: readonly AuditNote[] };

export interface AuditOptions {
  /** Of the store: `grace.db`, opened and migrated before. */
  readonly path: string;
  /** The log is named for it when its key is made. */
  readonly service: string;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  /** Takes secrets out, whole values under secret names too. */
  readonly redactor: { redact(text: string): string; redactDeep<T>(value: T): T };
  /** The log takes no entries: told once, and again after it had taken one. */
  readonly onTrouble: (error: unknown) => void;
}

/** An entry has 64 KiB at most; what is larger than this stands in it as its digest. */
const PAYLOAD_CHARS_MAX = 24_000;
/** Texts that stay readable in an entry whose rest was too large. */
const KEPT_CHARS_MAX = 500;
const CUT_CHARS_MAX = 4000;
const DAY_MS = 86_400_000;
/** A person may have mended a damaged log meanwhile: looked at no more often than this. */
const LOOK_AGAIN_MS = 2000;

/**
 * The log of this process. Opened with the first entry, so that a command that only looks does without; tried again at the
 * next one where that did not work.
 */
export class Audit {
  private readonly options: AuditOptions;
  private opening: Promise<AuditLog> | null = null;
  private readonly pending = new Set<Promise<unknown>>();
  private isTroubleTold = false;
  private isClosed = false;
  private lookedAtMs = -Infinity;
  /** Of this process, since the log took one the last time. */
  private missed: { readonly sinceMs: number; entries: number } | null = null;
  /** The newest signed head that was asked for; null before. */
  lastHead: string | null = null;
  /** The newest head that is kept at the places outside. */
  lastAnchored: string | null = null;
  /** Why the log takes no entries, for people; null while it does. */
  trouble: string | null = null;

  constructor(options: AuditOptions) {
    this.options = options;
  }

  /** Resolves when it is on the disk. @throws what `AuditLog.record` throws: then it is not, and what it tells of may not be done */
  async append(note: AuditNote): Promise<void> {
    await this.record({ changes: [], entries: [note] });
  }

  /** Entries and the statements they tell of, together or not at all. @throws as `append` */
  async record(change: NotedChange): Promise<void> {
    try {
      await this.write(change);
      this.tellOver();
    } catch (error) {
      // Who was not fast enough asks again; with the log all is well.
      if (!isLost(error)) {
        this.missed ??= { sinceMs: this.options.clock.nowMs(), entries: 0 };
        this.missed.entries += change.entries.length;
        this.tellTrouble(error);
      }
      throw error;
    }
  }

  private async write({ changes, entries }: NotedChange): Promise<void> {
    const drafts = entries.map((note) => ({ ...note, payload: this.payloadOf(note.payload) }));
    const writing = this.usable().then((log) => log.record({ changes, entries: drafts }));
    const settled = writing.catch(() => undefined); // told to whoever asked
    this.pending.add(settled);
    void settled.then(() => this.pending.delete(settled));
    await writing;
  }

  /** Tells of what has happened anyway: nobody waits for it, in the order of the calls. What cannot be written is told. */
  note(note: AuditNote): void {
    void this.append(note).catch(() => undefined); // told
  }

  /** The signed head of all that was written so far; null when there is none. */
  async head(): Promise<string | null> {
    try {
      await this.settled();
      this.lastHead = await (await this.opened()).checkpoint();
      return this.lastHead;
    } catch (error) {
      this.tellTrouble(error);
      return null;
    }
  }

  /** Why it takes no entries, where its end is not what was written; null when it does. @throws as `append`, when it cannot be opened */
  async damage(): Promise<AuditDamage | null> {
    return (await this.opened()).damage;
  }

  /**
   * Another key signs from now on; the entry that says so is signed by both.
   * @returns both, as verifiers write them
   * @throws as `append`, and for a user who may not read the key
   */
  async rotateKey(actor: string): Promise<{ readonly before: string; readonly after: string }> {
    const log = await this.opened();
    const before = log.verifierKey;
    await log.rotateKey(actor);
    return { before, after: log.verifierKey };
  }

  /** Lets a log with a damaged end go on without it, with an entry. @throws as `append`, also when more than the end is damaged */
  async reopen(actor: string, reason: string): Promise<void> {
    await (await this.opened()).reopen({ actor, reason });
  }

  /** Retention: contents of entries older than `keepMs` go, their hashes stay; an entry says which, and why. @returns how many */
  async dropPayloads(keepMs: number): Promise<number> {
    const olderThanMs = this.options.clock.nowMs() - keepMs;
    const reason = `audit.keepPayloads is ${Math.round(keepMs / DAY_MS)} days`;
    return (await this.opened()).dropPayloads({ olderThanMs, actor: 'grace', reason });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.settled();
    const log = await this.opening?.catch(() => null);
    await log?.close();
  }

  private async settled(): Promise<void> {
    while (this.pending.size > 0) await Promise.all(this.pending);
  }

  /** A log that was found damaged is looked at again: a person may have said that it goes on. */
  private async usable(): Promise<AuditLog> {
    const log = await this.opened();
    const nowMs = this.options.clock.monotonicMs();
    if (log.damage === null || this.isClosed || nowMs - this.lookedAtMs < LOOK_AGAIN_MS) return log;
    this.lookedAtMs = nowMs;
    this.opening = null;
    await log.close();
    return this.opened();
  }

  private opened(): Promise<AuditLog> {
    if (this.opening !== null) return this.opening;
    if (this.isClosed) return Promise.reject(new Error('the audit log of this process was closed'));
    const { path, service, clock, redactor } = this.options;
    this.opening = import('../adapters/store/audit/index.ts').then(({ openAuditLog }) =>
      openAuditLog({ path, service, clock, redact: (text) => redactor.redact(text) }),
    );
    this.opening.catch(() => (this.opening = null));
    return this.opening;
  }

  private tellTrouble(error: unknown): void {
    const hint = error instanceof GraceError && error.hint !== undefined ? `; ${error.hint}` : '';
    this.trouble = `${messageOf(error)}${hint}`;
    if (this.isTroubleTold) return;
    this.isTroubleTold = true;
    this.options.onTrouble(error);
  }

  /** What is missing is missing for ever: at least that is on record. */
  private tellOver(): void {
    const { missed } = this;
    const why = this.trouble ?? '';
    this.trouble = null;
    this.isTroubleTold = false;
    this.missed = null;
    if (missed === null) return;
    const note: AuditNote = {
      actor: 'grace',
      action: 'audit.entries_missed',
      resource: 'audit/log',
      subsystem: 'audit',
      result: 'failed',
      payload: { since: new Date(missed.sinceMs).toISOString(), entries: missed.entries, why },
    };
    void this.write({ changes: [], entries: [note] }).then(
      () => this.tellOver(),
      (error: unknown) => {
        // Still to be told, with what was missed meanwhile: after the next entry that the log takes.
        this.missed = { sinceMs: missed.sinceMs, entries: missed.entries + (this.missed?.entries ?? 0) };
        this.tellTrouble(error);
      },
    );
  }

  private payloadOf(given: AuditNote['payload']): JsonObject {
    const payload = writable(this.options.redactor.redactDeep(given)) as JsonObject;
    const text = JSON.stringify(payload);
    if (text.length <= PAYLOAD_CHARS_MAX) return payload;
    const kept = Object.entries(payload).filter(
      ([, value]) => value === null || typeof value !== 'object' || JSON.stringify(value).length <= KEPT_CHARS_MAX,
    );
    return { ...Object.fromEntries(kept), too_large: { chars: text.length, sha256: sha256Hex(text) } };
  }
}

/** What canonical JSON can hold: nothing undefined, no half characters, no numbers that others read differently. */
function writable(value: unknown): Json {
  if (typeof value === 'string') return (value.length > CUT_CHARS_MAX ? `${value.slice(0, CUT_CHARS_MAX)}…` : value).toWellFormed();
  if (typeof value === 'number')
    return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? value : String(value);
  if (typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(writable);
  if (typeof value !== 'object' || value === null) return null;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, part]) => (part === undefined ? [] : [[name.toWellFormed(), writable(part)]])),
  );
}

/** A person by the name of their user; Grace's own name is nobody else's. */
export function actorOf(name: string): string {
  return name === 'grace' || name === '' ? `user:${name}` : name;
}
