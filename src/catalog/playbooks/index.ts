import { definePlaybook, type Playbook } from '../../domains/playbooks/index.ts';

/**
 * The playbooks that ship with Grace. A diagnosis that names one of them writes it into the service's
 * `playbooks/` with the parameters of the case; these are their general form, with the parameters most services have.
 */
export const shippedPlaybooks: readonly Playbook[] = [
  definePlaybook({
    name: 'fix_unicode_logging',
    description: 'let the component write every character: UTF-8 for its console and its files',
    risk: 'low',
    tier: 'tier_1',
    service: 'boot_pipeline',
    match: { family: 'encoding' },
    params: { locale: 'C.UTF-8' },
    async run(ctx) {
      await ctx.step('UTF-8 for Python', 'set_env_override', { name: 'PYTHONIOENCODING', value: 'utf-8' });
      await ctx.step('a locale that knows every character', 'set_env_override', { name: 'LANG', value: ctx.params.locale });
    },
  }),
  definePlaybook({
    name: 'apply_pending_migrations',
    description: 'apply the migrations that the database does not have yet, with the command of the service',
    risk: 'medium',
    tier: 'tier_2',
    service: 'boot_pipeline',
    match: { family: 'migration_pending' },
    params: {},
    async run(ctx) {
      await ctx.step('apply pending migrations', 'run_migrations', {});
    },
  }),
  definePlaybook({
    name: 'create_default_env',
    description: 'create .env from its example; secrets that it marks for it are generated',
    risk: 'low',
    tier: 'tier_1',
    service: 'boot_pipeline',
    match: { family: 'env_file_missing' },
    params: { file: '.env', example: '.env.example' },
    async run(ctx) {
      await ctx.step(`create ${ctx.params.file}`, 'create_env_file', { file: ctx.params.file, example: ctx.params.example });
    },
  }),
  definePlaybook({
    name: 'configure_missing_secrets',
    description: 'generate secrets that the example marks as this service’s own; shared ones are never invented',
    risk: 'medium',
    tier: 'tier_2',
    service: 'boot_pipeline',
    match: { family: 'env_missing' },
    params: { file: '.env', keys: ['SECRET_KEY'] as readonly string[] },
    async run(ctx) {
      await ctx.step('generate what is missing', 'add_env_keys', { file: ctx.params.file, keys: ctx.params.keys, from: 'generate' });
    },
  }),
  definePlaybook({
    name: 'unlock_database',
    description: 'move the lock of a dead process aside; a lock that somebody holds is left alone, and so is a live WAL',
    risk: 'low',
    tier: 'tier_1',
    service: 'boot_pipeline',
    match: { family: 'database_locked' },
    params: { path: 'data/database.lock' },
    async run(ctx) {
      await ctx.step(`move ${ctx.params.path} aside`, 'remove_stale_lock', { path: ctx.params.path });
    },
  }),
  definePlaybook({
    name: 'skip_missing_tool',
    description: 'leave an optional component out whose command is not installed here',
    risk: 'low',
    tier: 'tier_1',
    service: 'boot_pipeline',
    match: { family: 'command_missing' },
    params: { reason: 'its command is not installed here' },
    async run(ctx) {
      await ctx.step('leave it out', 'skip_component', { reason: ctx.params.reason });
    },
  }),
  definePlaybook({
    name: 'fix_circular_imports',
    description: 'put the file whose change closed a circle of imports back as it was at the last good boot',
    risk: 'high',
    tier: 'tier_3',
    service: 'boot_pipeline',
    match: { family: 'circular_import' },
    params: { path: 'models.py' },
    async run(ctx) {
      await ctx.step(`put ${ctx.params.path} back`, 'restore_file', { path: ctx.params.path });
    },
  }),
  definePlaybook({
    name: 'verify_async_subscriptions',
    description: 'list where the code starts something asynchronous and does not wait for it; nothing is changed',
    risk: 'low',
    tier: 'tier_1',
    service: 'boot_pipeline',
    match: { family: 'unawaited' },
    params: {},
    async run(ctx) {
      await ctx.step('find what is started and not waited for', 'find_unawaited_calls', {});
    },
  }),
  definePlaybook({
    name: 'create_metrics_catalog_loader',
    description: 'put the loader of a catalog back; where there never was one, make it with an empty catalog, never over a file',
    risk: 'high',
    tier: 'tier_3',
    service: 'boot_pipeline',
    match: { family: 'local_module_missing' },
    params: {
      path: 'metrics_catalog_loader.py',
      content:
        'import json\nfrom pathlib import Path\n\n\ndef load_metrics_catalog():\n    return json.loads(Path(__file__).with_name("metrics_catalog.json").read_text("utf-8"))\n',
      catalog: 'metrics_catalog.json',
    },
    async run(ctx) {
      const { path, content, catalog } = ctx.params;
      try {
        await ctx.step(`put ${path} back`, 'restore_file', { path });
      } catch (error) {
        // Anything but a copy that never was: an empty one must not take the place of what could come back.
        if (!String(error).includes('there is no good copy of')) throw error;
        await ctx.step(`make ${path}`, 'write_file', { path, content });
        await ctx.step(`make an empty ${catalog}`, 'write_file', { path: catalog, content: '{}\n' });
      }
    },
  }),
  definePlaybook({
    name: 'investigate_error_spike',
    description: 'group what the component said wrong in the last minutes, tell people, and start it again',
    risk: 'medium',
    tier: 'tier_2',
    service: 'boot_pipeline',
    match: { family: 'errors' },
    params: { minutes: 5, reason: 'it answers with errors' },
    async run(ctx) {
      await ctx.step('group what it said wrong', 'group_recent_errors', { minutes: ctx.params.minutes });
      await ctx.step('restart it', 'restart_component', { reason: ctx.params.reason });
    },
  }),
  definePlaybook({
    name: 'restart_component',
    description: 'end the component in order and start it again',
    risk: 'low',
    tier: 'tier_2',
    service: 'boot_pipeline',
    match: { family: 'hung' },
    params: { reason: 'it does not answer' },
    async run(ctx) {
      await ctx.step('restart it', 'restart_component', { reason: ctx.params.reason });
    },
  }),
  definePlaybook({
    name: 'restart_memory_heavy_services',
    description: 'end a component whose memory only grows in order, and start it again before the machine runs out',
    risk: 'low',
    tier: 'tier_2',
    service: 'boot_pipeline',
    match: { family: 'memory_growth' },
    params: { reason: 'its memory grows and does not come back' },
    async run(ctx) {
      await ctx.step('restart it', 'restart_component', { reason: ctx.params.reason });
    },
  }),
  definePlaybook({
    name: 'scale_up_resources',
    description: 'give a component that is too slow for its load more workers, within bounds, and start it again with them',
    risk: 'medium',
    tier: 'tier_3',
    service: 'boot_pipeline',
    match: { family: 'slow' },
    params: { variable: 'WEB_CONCURRENCY', to: 4, min: 1, max: 8 },
    async run(ctx) {
      const { variable, to, min, max } = ctx.params;
      await ctx.step(`raise ${variable}`, 'scale_workers', { name: variable, to, min, max });
      await ctx.step('start it with them', 'restart_component', { reason: `${variable} was raised` });
    },
  }),
  definePlaybook({
    name: 'increase_db_pool_size',
    description: 'let a component hold more connections to its database, within bounds, and start it again with them',
    risk: 'medium',
    tier: 'tier_3',
    service: 'boot_pipeline',
    match: { family: 'pool_exhausted' },
    params: { variable: 'DB_POOL_SIZE', to: 20, min: 1, max: 50 },
    async run(ctx) {
      const { variable, to, min, max } = ctx.params;
      await ctx.step(`raise ${variable}`, 'scale_workers', { name: variable, to, min, max });
      await ctx.step('start it with them', 'restart_component', { reason: `${variable} was raised` });
    },
  }),
];
