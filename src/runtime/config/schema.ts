import * as z from 'zod';
import { parseDurationMs } from '../../kernel/index.ts';
import { parseWords } from './words.ts';

// What a person may write. No defaults and no transformations here: defaults.ts and resolve*.ts have both, so that a project
// without a config file never loads the schema. Every message reads on after the path it stands at.

/** Timers of the runtime hold 31 bits of milliseconds; longer ones would fire at once. */
const DURATION_MS_MAX = 2 ** 31 - 1;

function durationFrom(leastMs: number, leastText: string) {
  return z.custom<string | number>(
    (value) => {
      if (typeof value !== 'string' && typeof value !== 'number') return false;
      const ms = parseDurationMs(value);
      return ms !== null && ms >= leastMs && ms <= DURATION_MS_MAX;
    },
    {
      error: `must be a duration of at least ${leastText}, such as "500ms", "2s", "10m" or milliseconds as a number`,
    },
  );
}

const duration = durationFrom(0, '0');
const timeLimit = durationFrom(1, '1ms');
/** More often than this, asking is itself a load [SH-1]. */
const interval = durationFrom(100, '100ms');

const text = z.string({ error: 'must be text' }).min(1, { error: 'must not be empty' });
const path = text.refine((value) => !value.includes('\0'), {
  error: 'must be a path without null bytes',
});
const flag = z.boolean({ error: 'must be true or false' });
const port = z
  .int({ error: 'must be a whole number from 1 to 65535' })
  .min(1, { error: 'must be a whole number from 1 to 65535' })
  .max(65_535, {
    error: 'must be a whole number from 1 to 65535',
  });
const share = z.number({ error: 'must be a share from 0 to 1, such as 0.05 for 5 %' }).gt(0, { error: 'must be a share above 0' }).max(1, {
  error: 'must be a share from 0 to 1, such as 0.05 for 5 %',
});

function wholeNumber(least: number, most: number) {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, {
    error: `must be one of ${values.map((v) => JSON.stringify(v)).join(', ')}`,
  });
}

function listOf<T extends z.ZodType>(item: T, what: string) {
  return z.array(item, { error: `must be a list of ${what}` });
}

const hostName = text.regex(/^(?:[^\s/:@[\]]+|\[?[\da-f:.]+\]?)$/i, {
  error: 'must be a host name or an address, without protocol and port',
});

const argv = z
  .array(
    z.string({ error: 'must be text' }).refine((word) => !word.includes('\0'), { error: 'must not hold null bytes' }),
    { error: 'must be a list of words' },
  )
  .min(1, { error: 'must not be empty' })
  .refine((list) => list[0] !== '', { error: 'must begin with a program', path: [0] });

/** Argument array, or a command line that is split into words; no shell reads either. */
const command = z.union(
  [
    text.superRefine((line, context) => {
      const words = parseWords(line);
      if (!words.ok) context.addIssue({ code: 'custom', message: words.problem, params: { suggestion: words.suggestion } });
    }),
    argv,
  ],
  { error: 'must be a command: "node server.js" or ["node", "server.js"]' },
);

const moduleExport = path.regex(/^[^#]+(?:#[A-Za-z_$][\w$]*)?$/, {
  error: 'must be a module such as "checks/licence.ts", or one export of it: "checks/licence.ts#check"',
});

const route = text.regex(/^(?:[A-Za-z]{3,10} )?\/\S{0,499}$/, {
  error: 'must be a route such as "GET /health", or a path that begins with "/"',
});
const basePath = z.string({ error: 'must be text' }).regex(/^(?:\/\S{0,200})?$/, { error: 'must be a path such as "/v1", or empty' });

const probe = z.strictObject(
  {
    /** `/ready` on the component's own port, or a full URL. */
    http: text
      .regex(/^(?:\/|https?:\/\/[^/\s]+)\S*$/, {
        error: 'must be a path such as "/ready" or a URL that begins with http:// or https://',
      })
      .optional(),
    /** What counts as a pass; without it any 2xx or 3xx. */
    status: z
      .union([wholeNumber(100, 599), listOf(wholeNumber(100, 599), 'HTTP status codes').min(1, { error: 'must not be empty' })], {
        error: 'must be an HTTP status such as 200, or a list of them',
      })
      .optional(),
    /** Accept the certificate of this authority. */
    caFile: path.optional(),
    /** `true` for the component's own port, or "host:port". */
    tcp: z
      .union(
        [
          z.literal(true, { error: 'must be true' }),
          z.string().regex(/^(?:\[[\da-f:.]+\]|[^\s:[\]/]+):\d{1,5}$/i, {
            error: 'must be true or "host:port"',
          }),
        ],
        {
          error: 'must be true or "host:port"',
        },
      )
      .optional(),
    /** Exit code 0 is a pass. */
    command: command.optional(),
    /** Written at least every `maxAge`, as a heartbeat. */
    file: path.optional(),
    maxAge: timeLimit.optional(),
    /** The process exists and is not stopped. */
    process: z.literal(true, { error: 'must be true, or left out' }).optional(),
    every: interval.optional(),
    timeout: timeLimit.optional(),
    /** Failures in a row before it counts. */
    failures: wholeNumber(1, 1000).optional(),
  },
  { error: 'must be a probe such as { http: "/ready" }' },
);

const probeOrNone = z.union([z.literal(false, { error: 'must be false' }), probe], {
  error: 'must be a probe such as { http: "/ready" }, or false for none',
});

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;

const environmentNames = text.regex(/^[A-Za-z_]\w*$/, {
  error: 'must be the name of an environment variable',
});

const component = z.strictObject(
  {
    command,
    /** Working directory; the folder of this file unless set. */
    cwd: path.optional(),
    /** Wins over env files and the environment Grace was started in. */
    env: z
      .record(
        environmentNames,
        z
          .string({ error: 'must be text, since environments hold nothing else' })
          .refine((value) => !value.includes('\0'), { error: 'must not hold null bytes' }),
        {
          error: 'must be an object of NAME: "value"',
        },
      )
      .optional(),
    /** Read in order, later ones win; `false` for none. `.env` is found by itself. */
    envFile: z
      .union([z.literal(false, { error: 'must be false' }), path, listOf(path, 'paths')], {
        error: 'must be a path, a list of paths, or false',
      })
      .optional(),
    /** `false` when the command reads its env file by itself. */
    loadEnvFile: flag.optional(),
    /** Variables without which it must not start. */
    requiredEnv: listOf(environmentNames, 'variable names').optional(),
    /** Components and dependencies that must be ready before it starts. */
    dependsOn: listOf(text, 'component names').optional(),
    /** A boot cannot succeed without it. */
    critical: flag.optional(),
    /** Left out when its command does not exist. */
    optional: flag.optional(),
    port: port.optional(),
    host: hostName.optional(),
    startup: probeOrNone.optional(),
    readiness: probeOrNone.optional(),
    liveness: probeOrNone.optional(),
    startupTimeout: timeLimit.optional(),
    /** Stays ready this long before a boot, or a fix, counts as good. */
    soak: duration.optional(),
    restart: z
      .strictObject(
        {
          policy: oneOf(['always', 'on_failure', 'never']).optional(),
          /** Restarts allowed within `period`; the next one is diagnosed instead. */
          intensity: wholeNumber(0, 1000).optional(),
          period: timeLimit.optional(),
          backoff: duration.optional(),
          backoffMax: duration.optional(),
        },
        { error: 'must be an object such as { policy: "on_failure", intensity: 5 }' },
      )
      .optional(),
    stop: z
      .strictObject(
        { signal: oneOf(SIGNALS).optional(), grace: duration.optional() },
        { error: 'must be an object such as { signal: "SIGTERM", grace: "5s" }' },
      )
      .optional(),
    limits: z
      .strictObject(
        {
          openFiles: wholeNumber(16, 10_000_000).optional(),
          heapMb: wholeNumber(16, 1_000_000).optional(),
        },
        { error: 'must be an object such as { openFiles: 4096, heapMb: 512 }' },
      )
      .optional(),
    /** Where its output is appended; below `dataDir` unless set. */
    log: path.optional(),
    /** Paths beside `cwd` that playbooks may also touch. */
    data: listOf(path, 'paths').optional(),
    /** Globs of what may be removed when the disk is full, relative to `cwd` and `data`. */
    expendable: listOf(text, 'globs').optional(),
    /** Applies its migrations; found by itself for the tools Grace knows, `false` for none. */
    migrate: z
      .union([z.literal(false, { error: 'must be false' }), command], { error: 'must be a command such as "npm run migrate", or false' })
      .optional(),
    /** `postgres://…`, a SQLite file, or the variable that holds it: `$DATABASE_URL`. */
    database: text.optional(),
    /** Further files of which Grace keeps copies. */
    keep: listOf(path, 'paths').optional(),
    /** Module whose Standard Schema its environment has to meet: "src/env.ts", or "src/env.ts#schema" for one export of it. */
    envSchema: moduleExport.optional(),
    /** The whole schema of its database as SQL. */
    schemaFile: path.optional(),
    /** Further configuration files that it reads. */
    configFiles: listOf(path, 'paths').optional(),
    /** Routes that have to be there when it runs: "GET /health"; a path alone is a GET. */
    routes: listOf(route, 'routes').max(500, { error: 'must have at most 500 entries' }).optional(),
    /** OpenAPI or Swagger document of the routes that have to be there. */
    openapi: z
      .union([path, z.strictObject({ file: path, basePath: basePath.optional() })], {
        error: 'must be a path such as "openapi.yaml", or { file: "openapi.yaml", basePath: "/v1" }',
      })
      .optional(),
  },
  { error: 'must be an object with a command, such as { command: "node server.js" }' },
);

const dependency = z.strictObject(
  {
    host: hostName.optional(),
    port: port.optional(),
    /** Starts it; left out when nobody here may. */
    start: command.optional(),
    /** Exit code 0 when it is up; without it a connection to `port`. */
    status: command.optional(),
    critical: flag.optional(),
    /** How the service asks it, with user and password; or `$NAME` of the variable that holds it. Pre-flight asks the same way. */
    url: text
      .regex(/^\$(?:\{\w+\}|\w+)$|^[a-z][a-z0-9+]{1,20}:\/\/\S+$/i, {
        error: 'must be a URL, or the name of a variable such as "$DATABASE_URL"',
      })
      .optional(),
    /** An older version is too old; pre-flight reads it from the server. */
    versionMin: text.regex(/^\d+(?:\.\d+){0,3}$/, { error: 'must be a version such as "14" or "8.0.30"' }).optional(),
    /** Directories of its own that playbooks may touch: where its stale lock files lie. */
    data: listOf(path, 'paths').optional(),
    /** How long a boot waits for it. */
    waitFor: z
      .union([z.literal('forever'), timeLimit], {
        error: 'must be a duration such as "30s", or "forever"',
      })
      .optional(),
    /** How long it may take after its start command was run. */
    startTimeout: timeLimit.optional(),
  },
  { error: 'must be an object such as { port: 5432 }' },
);

const smoke = z.strictObject(
  {
    name: text,
    command: command.optional(),
    /** A URL, or a path on the port of the only component that has one. */
    http: probe.shape.http,
    tcp: text.regex(/^(?:\[[\da-f:.]+\]|[^\s:[\]/]+):\d{1,5}$/i, { error: 'must be "host:port"' }).optional(),
    timeout: timeLimit.optional(),
    critical: flag.optional(),
    /** How often it is repeated while the service runs; `false` for only at boot. */
    every: z
      .union([z.literal(false), interval], {
        error: 'must be a duration of at least 100ms such as "60s", or false',
      })
      .optional(),
    /** Whose port, folder and environment it uses, and who is blamed. */
    component: text.optional(),
  },
  { error: 'must be an object such as { name: "home page", http: "/" }' },
);

const ownCheck = z.strictObject(
  {
    name: text.regex(/^[a-z][a-z0-9_]{0,62}$/, {
      error: 'must be a name of at most 63 small letters, digits and "_", beginning with a letter',
    }),
    /** Exit code 0 is a pass. */
    command: command.optional(),
    /** A function that returns what it finds. */
    module: moduleExport.optional(),
    timeLimit: timeLimit.optional(),
    severity: oneOf(['info', 'warn', 'error']).optional(),
    /** Whose folder and environment it uses. */
    component: text.optional(),
  },
  { error: 'must be an object such as { name: "licence", command: "node check-licence.js" }' },
);

const preflight = z.strictObject(
  {
    checks: listOf(ownCheck, 'checks').max(50, { error: 'must have at most 50 entries' }).optional(),
    /** When the schemas of databases are compared; before the start an error stops the boot. */
    schema: oneOf(['before_start', 'beside_start']).optional(),
    /** Runs the project's migration tool in an empty database, to know what its migrations make. */
    tryMigrations: flag.optional(),
    /** Names of checks that are left out. */
    skip: listOf(text, 'names of checks').optional(),
    /** Processes, routes and probes, looked at when the service runs. */
    registration: z
      .strictObject({ required: flag.optional(), ask: flag.optional() }, { error: 'must be an object such as { required: true }' })
      .optional(),
    /** Mounted secrets that have to be there. */
    secretFiles: listOf(path, 'paths').optional(),
    /** Must answer and be unsealed; without this VAULT_ADDR of the components counts, and `false` asks none. */
    vault: z
      .union(
        [
          z.literal(false, { error: 'must be false' }),
          z.strictObject({
            address: text.regex(/^https?:\/\/[^/\s]+\/?$/, { error: 'must be an address such as "https://vault:8200"' }),
            /** PEM file of the authority that signed its certificate. */
            caFile: path.optional(),
          }),
        ],
        { error: 'must be an object such as { address: "https://vault:8200" }, or false' },
      )
      .optional(),
  },
  { error: 'must be an object such as { checks: [] }' },
);

const boot = z.strictObject(
  {
    mode: oneOf(['fast', 'layered', 'resilient']).optional(),
    maxHealingAttempts: wholeNumber(0, 20).optional(),
    /** Failed boots in a row after which going back to the last good release is proposed; 0: never. */
    rollbackAfter: wholeNumber(0, 50).optional(),
    /** Whether Grace stays with a service whose boot failed: `auto` does so where it can still help. */
    hold: oneOf(['auto', 'always', 'never']).optional(),
  },
  { error: 'must be an object such as { mode: "resilient" }' },
);

const snapshots = z.strictObject(
  {
    /** Globs of further files that belong into every snapshot, relative to the component's `cwd` and `data`. */
    files: listOf(text, 'globs').max(100, { error: 'must have at most 100 entries' }).optional(),
    /** `touched`: when the fix changes a database. */
    databases: oneOf(['touched', 'always', 'never']).optional(),
    /** Larger databases are left out, and that is said. */
    databaseMbMax: wholeNumber(1, 1_000_000).optional(),
    /** How long they are kept; the limit that is reached first counts. */
    keep: z
      .strictObject(
        {
          count: wholeNumber(1, 100_000).optional(),
          days: wholeNumber(1, 36_500).optional(),
          megabytes: wholeNumber(1, 100_000_000).optional(),
        },
        { error: 'must be an object such as { count: 20, days: 30 }' },
      )
      .optional(),
  },
  { error: 'must be an object such as { databases: "touched" }' },
);

const healing = z.strictObject(
  {
    /** Act at run time; otherwise Grace only says what it would do. */
    executeAtRuntime: flag.optional(),
    /** Ask the advisor when playbooks did not help; needs AMP_API_KEY. */
    ampEscalation: flag.optional(),
    /** How much Grace may do, whatever the policies say. */
    limits: z
      .strictObject(
        {
          perHour: wholeNumber(1, 10_000).optional(),
          cooldown: duration.optional(),
          breakerAfter: wholeNumber(1, 100).optional(),
          stability: duration.optional(),
        },
        { error: 'must be an object such as { perHour: 20, cooldown: "5m" }' },
      )
      .optional(),
    /** Commands that a step may run, each as the words they begin with; without them no step runs a command of its own. */
    allowShell: z.array(argv, { error: 'must be a list of commands, each a list of words: [["systemctl", "reload", "nginx"]]' }).optional(),
    /** What is kept of a component before a fix changes it. */
    snapshots: snapshots.optional(),
  },
  { error: 'must be an object such as { executeAtRuntime: true }' },
);

const monitor = z.strictObject(
  {
    health: interval.optional(),
    metrics: interval.optional(),
    selfHeal: interval.optional(),
    proactive: interval.optional(),
    validation: interval.optional(),
    watchdog: z
      .union([z.literal(false), interval], {
        error: 'must be a duration of at least 100ms such as "60s", or false',
      })
      .optional(),
    /** Watch response times of probes and smoke checks. */
    latency: flag.optional(),
    /** Watch the memory of processes. */
    memory: flag.optional(),
    /** Learn a baseline after the boot. */
    baseline: flag.optional(),
    /** Run the stress tests after the boot. */
    stressTest: flag.optional(),
    errorRateMax: share.optional(),
    latencyP95Max: timeLimit.optional(),
    /** Megabytes per hour. */
    memoryGrowthMbMax: z
      .number({ error: 'must be a number of megabytes' })
      .gt(0, { error: 'must be above 0' })
      .max(1_000_000, { error: 'must be at most 1000000' })
      .optional(),
    /** Of playbooks. */
    failureRateMax: share.optional(),
  },
  { error: 'must be an object such as { health: "30s" }' },
);

/** A day at least: what is younger may still be looked for. A century at most. */
const KEEP_MS_MIN = 86_400_000;
const KEEP_MS_MAX = 36_500 * KEEP_MS_MIN;

const audit = z.strictObject(
  {
    /** How long the contents of entries are kept; their hashes stay for ever. `false`: for ever as well. */
    keepPayloads: z
      .union([z.string(), z.literal(false)])
      .refine(
        (value) => {
          if (value === false) return true;
          const ms = parseDurationMs(value);
          return ms !== null && ms >= KEEP_MS_MIN && ms <= KEEP_MS_MAX;
        },
        { error: 'must be a time of at least a day, such as "400d", or false' },
      )
      .optional(),
    /** A file, best on another disk or machine, to which the signed head is appended. */
    anchorFile: path.optional(),
    /** Add the signed head to the git notes of the commit that is checked out, under `refs/notes/grace`. */
    anchorGit: flag.optional(),
  },
  { error: 'must be an object such as { keepPayloads: "400d" }' },
);

/** Component names become file names, metric labels and parts of incident ids. */
const name = text.regex(/^[A-Za-z0-9][\w.-]{0,62}$/, {
  error: 'must be a name of at most 63 letters, digits, ".", "_" and "-", beginning with a letter or digit',
});

export const configSchema = z.strictObject(
  {
    name: name.optional(),
    components: z.record(name, component, { error: 'must be an object of components by name' }).optional(),
    /** What the components need and somebody else runs: databases, brokers, other services. */
    dependencies: z.record(name, dependency, { error: 'must be an object of dependencies by name' }).optional(),
    /** Whether the service really works: asked at boot, after fixes and while it runs. */
    smoke: listOf(smoke, 'smoke checks').optional(),
    boot: boot.optional(),
    /** What is looked at before anything is started. */
    preflight: preflight.optional(),
    healing: healing.optional(),
    monitor: monitor.optional(),
    /** The log of who did what. */
    audit: audit.optional(),
    /** Grace's own HTTP API and dashboard. */
    api: z
      .strictObject({ host: hostName.optional(), port: port.optional() }, { error: 'must be an object such as { port: 7420 }' })
      .optional(),
    /** Grace's own store: SQLite in `dataDir` unless this names a PostgreSQL database. */
    databaseUrl: text.optional(),
    meshUrl: text.optional(),
    dataDir: path.optional(),
    playbooksDir: path.optional(),
    /** What this place is called in policies, such as `production`. */
    environment: text.max(63, { error: 'must be at most 63 characters' }).optional(),
    /** Globs of Cedar files that limit, or widen where it is allowed, what playbooks may do. */
    policies: listOf(path, 'globs').max(100, { error: 'must have at most 100 entries' }).optional(),
    logLevel: oneOf(['debug', 'info', 'warn', 'error']).optional(),
  },
  { error: 'must be an object with settings' },
);

/** What a config file exports. */
export type GraceConfigFile = z.input<typeof configSchema>;
export type ComponentFile = z.input<typeof component>;
export type DependencyFile = z.input<typeof dependency>;
export type PreflightFile = z.input<typeof preflight>;
export type SnapshotsFile = z.input<typeof snapshots>;
export type ProbeFile = z.input<typeof probe>;
export type SmokeFile = z.input<typeof smoke>;
export type CommandFile = z.input<typeof command>;
