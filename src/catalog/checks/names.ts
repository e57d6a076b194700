/** Names of the checks that ship; checks of the config have others. Apart from the checks, which are loaded when they run. */
export const SHIPPED_CHECKS = [
  'env_schema',
  'vault',
  'env_example',
  'config_files',
  'interpolation',
  'weak_secrets',
  'secret_files',
  'certificates',
  'vault_of_environment',
  'registration',
] as const;
