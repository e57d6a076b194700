import type { Clock, CommandResult, Files, Json, JsonObject, Logger } from '../../kernel/index.ts';
import type { Risk } from '../governance/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { HostView } from './host-view.ts';
import type { ReadModules } from './module-calls.ts';
import type { WorkTrees } from './work-tree.ts';

/**
 * One governed power. A playbook step names a primitive and its parameters; the kernel looks (`plan`), keeps the undo
 * record, and only then lets it act (`apply`). Everything dynamic, such as which process holds a port, is looked up by
 * `plan` each time: parameters stay valid at the next boot.
 */
export interface Primitive<P extends JsonObject = JsonObject> {
  readonly name: string;
  /** One sentence, present tense: what it does. */
  readonly description: string;
  /** The least risk that any use of it has. */
  readonly risk: Risk;
  /**
   * What it may change at most: `nothing` (it waits or tells), or `processes` (it starts, ends or wakes them). Without it: files,
   * data or settings, which the mode read_only keeps as they are.
   */
  readonly changes?: 'nothing' | 'processes';
  /** It changes what is in the component's database: that is kept in the snapshot before it acts. */
  readonly touchesDatabase?: true;
  /** It acts only where a snapshot of what it changes was taken for this run. */
  readonly needsSnapshot?: true;
  /** @throws PrimitiveMisuse naming the parameter that is wrong */
  parse(params: JsonObject): P;
  /** Looks without touching anything. */
  plan(params: P, context: PrimitiveContext): Promise<PrimitivePlan>;
  /** Acts. `record` is what `plan` returned as undo: it is already stored. */
  apply(params: P, context: PrimitiveContext, record: Json): Promise<PrimitiveResult>;
  /**
   * Brings back what was before; safe when `apply` was cut off half way, and when called twice. Null: nothing can be undone, and
   * no use of it is tier_1.
   * @returns what it left on purpose, in words, such as a directory that holds data by now; nothing where all is as it was
   */
  readonly undo: ((record: Json, context: PrimitiveContext) => Promise<void | readonly string[]>) | null;
  /** Why there is no way back, where `undo` is null: people read it before they agree. */
  readonly irreversible?: string;
  /**
   * It has no undo and needs none: what it did is over, or is as it should be in any case, such as a component that was started
   * again. A run that is taken back leaves nothing of it for a person to look at.
   */
  readonly needsNoUndo?: true;
  /**
   * What it would change, in a form that can be compared: before `apply` and after a whole undo it is the same. Without one, the
   * traits of those targets that are paths are compared.
   */
  readonly observe?: (targets: readonly string[], context: PrimitiveContext) => Promise<Json>;
}

export type PrimitivePlan =
  /** Targets: paths, pids, names it acts on. Never empty: a set that came out empty means none, never all, and is refused. */
  | {
      readonly state: 'ready';
      readonly summary: string;
      readonly targets: readonly string[];
      readonly undo: Json;
      /** Why this very use cannot be undone, though others can. */
      readonly irreversible?: string;
      /** This very use has more risk than the least that any has: no playbook takes it that claims less (`unseenRisk`). */
      readonly risk?: Risk;
    }
  /** What it is for holds already: fine, and nothing is changed. */
  | { readonly state: 'nothing_to_do'; readonly summary: string }
  /** It must not act: the reason is for people. */
  | { readonly state: 'refused'; readonly reason: string };

export interface PrimitiveResult {
  readonly summary: string;
  /** Paths, pids, variables that are different now. */
  readonly changed: readonly string[];
  /** When it was about to act, all was as it should be already: it has not acted. */
  readonly didNothing?: true;
}

/** What a step may know of the steps before it. */
export interface RunSoFar {
  /** Null where nobody has recorded when it began. */
  readonly startedAtMs: number | null;
  /** What they have acted on, or tried to: paths, pids, names. */
  readonly touched: readonly string[];
}

/** What a primitive may use. All paths it touches must pass `confine`. */
export interface PrimitiveContext {
  readonly component: ComponentSpec;
  /** Of the run that it acts in; not there where something is only planned. */
  readonly runSoFar?: RunSoFar;
  readonly clock: Clock;
  readonly files: Files;
  readonly host: HostView;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly overrides: Overrides;
  readonly lastGood: LastGood;
  readonly processes: ProcessControl;
  /** Null where Grace cannot reach a database of the service. */
  readonly databases: DatabaseRepair | null;
  readonly workTrees: WorkTrees;
  /** Which calls modules of JavaScript or TypeScript start. Nothing of them is run. */
  readonly readModules: ReadModules;
  /** What failed of this component since then, by signature, the most frequent first. */
  recentFailures(sinceMs: number): Promise<readonly RecentFailure[]>;
  /** Where a primitive puts what it moves aside; created, private, on Grace's own disk. */
  readonly backupDir: string;
  /** The environment the component would be started with now. */
  env(): Promise<Readonly<Record<string, string>>>;
  /**
   * Who else counts on a port, as far as the configuration and the environments of all components say, in words for people:
   * `smoke check "home"`, `component web (API_URL)`, `readiness probe of api`. The component's own port counts as well.
   * @param variable  by which the component itself learns its port: that alone does not count
   */
  portNamedBy(port: number, variable: string): Promise<readonly string[]>;
  /** Runs a helper command as the component would run: its directory, its environment. Output is redacted. */
  run(
    argv: readonly string[],
    options: {
      readonly timeoutMs: number;
      readonly cwd?: string;
      readonly env?: Readonly<Record<string, string>>;
      readonly input?: string;
    },
  ): Promise<CommandResult>;
  /** What a command of a step may begin with, word by word; none: no step runs a command of its own choice. */
  readonly allowedCommands: readonly (readonly string[])[];
  /** Without the secrets that are known, or look like some. */
  redact(text: string): string;
  /** Of something that may hold secrets: the same for the same text, and nothing without this installation's key. */
  digest(text: string): string;
  /** For copies of what holds secrets. */
  readonly sealing: Sealing;
  /** Progress of long work, shown live. */
  progress(text: string): void;
  /**
   * The absolute path, when it is below the component's roots even after symbolic links.
   * @throws PrimitiveMisuse otherwise
   */
  confine(path: string): Promise<string>;
}

/** How often one failure was captured in a while. */
export interface RecentFailure {
  readonly signature: string;
  /** What it says, with what varies left out; redacted. */
  readonly template: string;
  readonly count: number;
  /** The family that explains it; null when none did. */
  readonly family: string | null;
  /** The playbook that is known for it. */
  readonly playbook: string | null;
}

/** Encrypts with this installation's key. */
export interface Sealing {
  seal(content: Uint8Array): Uint8Array;
  /** Null when it is damaged, or sealed with another key. */
  open(sealed: Uint8Array): Uint8Array | null;
}

/** Repairs inside a database that put back what the last verified boot had, and nothing else. */
export interface DatabaseRepair {
  /**
   * Adds rows to the migrations' history table as they were at the last verified boot.
   * @param migrations  `table/name`, as schemaDrift names them
   * @returns those it really added; what was there already is not among them
   */
  recordMigrations(component: string, migrations: readonly string[]): Promise<{ readonly recorded: readonly string[] }>;
  /** Removes exactly these rows; those that are gone are no error. */
  unrecordMigrations(component: string, migrations: readonly string[]): Promise<void>;
  /**
   * Makes missing tables, empty, with the columns and indexes they had at the last verified boot.
   * @returns those it really made
   */
  restoreTables(component: string, tables: readonly string[]): Promise<{ readonly created: readonly string[] }>;
  /**
   * Adds missing columns, empty, as they were at the last verified boot, and what had gone with them.
   * @param columns  `table.column`, as schemaDrift names them
   * @returns those it really added; `made` is for `dropEmptyColumns`, `leftOut` for people
   */
  restoreColumns(
    component: string,
    columns: readonly string[],
  ): Promise<{ readonly added: readonly string[]; readonly made: readonly JsonObject[]; readonly leftOut: readonly string[] }>;
  /** Takes `restoreColumns` back; a column with values stays and is in `kept`. */
  dropEmptyColumns(
    component: string,
    columns: readonly string[],
    made: readonly JsonObject[],
  ): Promise<{ readonly kept: readonly string[] }>;
  /** Drops those of these tables that are empty; one with rows stays and is in `kept`. */
  dropEmptyTables(
    component: string,
    tables: readonly string[],
  ): Promise<{ readonly dropped: readonly string[]; readonly kept: readonly string[] }>;
}

/** Settings Grace has learned for a component; they apply at its next start and stay for later boots. */
export interface Overrides {
  get(component: string): Promise<ComponentOverrides>;
  /** Null removes a setting. */
  set(component: string, change: Partial<Record<keyof ComponentOverrides, Json>>): Promise<void>;
}

export interface ComponentOverrides {
  readonly openFiles: number | null;
  readonly heapMb: number | null;
  /** Variables that are added to its environment. Never secrets. */
  readonly env: Readonly<Record<string, string>>;
  /** True when it was left out on purpose (its tool is missing and it is optional). */
  readonly skip: boolean;
}

/** Copies of small files and a map of the directory, as of the last verified boot. */
export interface LastGood {
  entries(component: string): Promise<readonly LastGoodEntry[]>;
  entry(component: string, path: string): Promise<LastGoodEntry | null>;
  content(entry: LastGoodEntry): Promise<Uint8Array | null>;
}

export interface LastGoodEntry {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  /** SHA-256 of a file's content, target of a link, '' for a directory. */
  readonly digest: string;
  /** Whether the content was kept (small files) or only its traits. */
  readonly hasContent: boolean;
  readonly bootId: string;
}

/** The processes Grace looks after; a primitive never signals a pid by itself. */
export interface ProcessControl {
  /**
   * Ends a process that was shown to be a stale copy of the component: SIGTERM, its grace time, SIGKILL; its identity is
   * compared before each signal.
   * @returns false when it was gone or another process by then
   */
  endStale(component: string, pid: number, startTicks: number): Promise<boolean>;
  resume(component: string): Promise<boolean>;
  restart(component: string, reason: string): Promise<void>;
  startDependency(name: string): Promise<{ readonly started: boolean; readonly output: string }>;
}
