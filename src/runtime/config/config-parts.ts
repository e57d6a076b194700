import type { ComponentDetection, DetectedProject } from './detect.ts';
import type { EnvironmentSettings } from './environment.ts';
import type { ConfigFlags } from './grace-config.ts';
import type { Chooser } from './origin.ts';
import type { GraceConfigFile } from './schema.ts';

/** Where the settings came from, each part already checked. */
export interface ConfigParts {
  /** Empty when there is no config file. */
  readonly file: GraceConfigFile;
  readonly configFile: string | null;
  readonly projectDir: string;
  /** What would be run without a config; its components count only when the file has none. */
  readonly detected: DetectedProject;
  /** What was worked out about the components of the file, by name. */
  readonly detections: ReadonlyMap<string, ComponentDetection>;
  /** Words after `--`: they run as the only component there is. */
  readonly command: readonly string[] | null;
  readonly environment: EnvironmentSettings;
  readonly flags: ConfigFlags;
}

/** What every part of the configuration is worked out from. */
export interface Scope {
  readonly parts: ConfigParts;
  readonly chooser: Chooser;
  readonly dataDir: string;
}
