/** One difference between now and the last verified boot. */
export interface Drift {
  readonly kind:
    | 'missing'
    | 'changed'
    | 'new'
    | 'owner'
    | 'mode'
    | 'env_key_missing'
    | 'env_key_changed'
    | 'runtime'
    | 'limit'
    | 'git'
    | 'command';
  /** Path, variable or setting. */
  readonly subject: string;
  /** `data/settings.js changed (was 812 bytes, is 830)`; never a value. */
  readonly message: string;
  /** The content kept from the last good boot parses, the present one does not: then it is nearly always the cause. */
  readonly isBroken: boolean;
  /** Whether the old content is at hand. */
  readonly canRestore: boolean;
  /** Higher is more suspicious. */
  readonly suspicion: number;
}
