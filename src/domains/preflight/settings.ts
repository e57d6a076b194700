import type { Severity } from './finding.ts';

/** What the config says of pre-flight. Paths are absolute. */
export interface PreflightSettings {
  /** Names of checks that are left out. */
  readonly skip: readonly string[];
  readonly checks: readonly OwnCheckSpec[];
  /** Schemas that the environment of a component has to meet, by component. */
  readonly envSchemas: ReadonlyMap<string, ModuleRef>;
  /** Further files that the service reads, by component. */
  readonly configFiles: ReadonlyMap<string, readonly string[]>;
  /** Mounted secrets that have to be there. */
  readonly secretFiles: readonly string[];
  /** What the config says of dependencies beyond where they listen, by name. */
  readonly dependencies: ReadonlyMap<string, DependencyClaim>;
  /** Whether the project's own migration tool may be run in an empty database, to know what its migrations make. */
  readonly triesMigrations: boolean;
  /** When the schema of a database is compared; a boot waits for it, and is stopped by its errors, where the config asks for that. */
  readonly schemaWhen: 'before_start' | 'beside_start';
  /** The file with the whole schema, by component. */
  readonly schemaFiles: ReadonlyMap<string, string>;
  /** `environment`: where `VAULT_ADDR` of a component leads, if it is set. */
  readonly vault: { readonly address: string; readonly caFile: string | null } | 'environment' | 'none';
  readonly registration: RegistrationSettings;
}

/** What has to be there when the service runs. */
export interface RegistrationSettings {
  /** What is missing fails a boot, and is an error; otherwise it is a warning. */
  readonly isRequired: boolean;
  /** Expected routes without parameters are asked with GET. */
  readonly isAsked: boolean;
  /** `GET /orders/{id}`, by component. */
  readonly routes: ReadonlyMap<string, readonly string[]>;
  /** Documents that promise routes, by component. */
  readonly openApi: ReadonlyMap<string, OpenApiRef>;
}

export interface OpenApiRef {
  readonly file: string;
  /** In front of its paths, instead of what its servers say; null for those. */
  readonly basePath: string | null;
}

/** How a dependency is asked in its own protocol. */
export interface DependencyClaim {
  /** A URL, or `$NAME` of a variable of the components that holds one; null where the environment is searched for it. */
  readonly url: string | null;
  /** `14`, `8.0.30`: an older one is too old. */
  readonly versionMin: string | null;
}

/** An export of a module of the service. */
export interface ModuleRef {
  readonly file: string;
  /** null for the default one, or the only one that fits. */
  readonly exportName: string | null;
}

/** A check that the config adds [PF-7]. */
export interface OwnCheckSpec {
  readonly name: string;
  /** Exit code 0 passes; or a function of a module. */
  readonly target: { readonly kind: 'command'; readonly argv: readonly string[] } | { readonly kind: 'module'; readonly module: ModuleRef };
  readonly timeLimitMs: number;
  /** Of what it finds, unless the function says otherwise. */
  readonly severity: Severity;
  /** Whose folder and environment it uses; null for the first one. */
  readonly component: string | null;
}
