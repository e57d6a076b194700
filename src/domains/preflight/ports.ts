import type { JsonObject } from '../../kernel/index.ts';
import type { ExpectedRoute, RegisteredRoutes } from './routes.ts';
import type { ModuleRef } from './settings.ts';

/** Formats whose files can be looked into. */
export type ConfigFormat = 'json' | 'yaml' | 'toml' | 'ini' | 'env' | 'script';

export interface ConfigText {
  readonly path: string;
  readonly format: ConfigFormat;
  readonly text: string;
}

/** What is wrong inside a text. Never holds a value of it. */
export interface TextProblem {
  /** `broken`: no program can read it. `doubtful`: programs can, and may not see what was meant. */
  readonly kind: 'broken' | 'doubtful';
  readonly code: 'config_broken' | 'key_twice' | 'secret_placeholder';
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Looks into texts, somewhere that can be ended whatever a text does to its parser.
 * @returns the problems of each text in order; null for the one at which it reached a limit, and for those after it
 */
export type LintConfigFiles = (texts: readonly ConfigText[], signal: AbortSignal) => Promise<readonly (readonly TextProblem[] | null)[]>;

export interface ModuleOrder {
  /** `validate`: the export is a Standard Schema, and the environment its input. `call`: it is a function. */
  readonly task: 'validate' | 'call';
  readonly module: ModuleRef;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** What a function is called with. */
  readonly input: JsonObject;
  readonly timeLimitMs: number;
}

export interface ModuleIssue {
  readonly path: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly severity?: string | undefined;
}

/** `unusable`: the module could not be loaded, or has no such export. `failed`: its code threw, hung or ended. */
export type ModuleAnswer =
  | { readonly state: 'answered'; readonly issues: readonly ModuleIssue[] }
  | { readonly state: 'unusable' | 'failed'; readonly problem: string };

/** Runs code of the service in a bounded process of its own. */
export type RunModule = (order: ModuleOrder, signal: AbortSignal) => Promise<ModuleAnswer>;

export interface HttpQuestion {
  readonly url: string;
  /** PEM file of the authority that signed the certificate; null for the authorities of the machine. */
  readonly caFile: string | null;
  readonly serverName: string | null;
  readonly isCertificateChecked: boolean;
  readonly timeoutMs: number;
}

/** Asks with GET, follows nothing and reads no body. Never throws. */
export type AskHttp = (
  question: HttpQuestion,
  signal: AbortSignal,
) => Promise<{ readonly status: number } | { readonly problem: string; readonly code: string }>;

/** `unreadable` says why in our own words. */
export type OpenApiAnswer =
  | { readonly state: 'read'; readonly routes: readonly ExpectedRoute[] }
  | { readonly state: 'unreadable'; readonly problem: string };

/** Reads what an OpenAPI or Swagger document promises, somewhere that can be ended whatever the text does to its parser. */
export type ReadOpenApi = (text: string, signal: AbortSignal) => Promise<OpenApiAnswer>;

/** A component after the start. */
export interface RunningComponent {
  readonly name: string;
  /** `done`: it had something to do, and did it. `left_out`: optional, and its command is missing. */
  readonly state: 'alive' | 'gone' | 'done' | 'left_out';
  /** Where it listens, when that is known. */
  readonly port: number | null;
}

export interface ServiceView {
  components(): Promise<readonly RunningComponent[]>;
  /** What the living processes of a component said of themselves; null when they said nothing. */
  registeredRoutes(component: string): Promise<RegisteredRoutes | null>;
}
