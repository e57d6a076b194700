import type { Check, CheckContext, Finding, ServerAnswer, ServerFailure, ServerQuestion, Severity } from '../../domains/preflight/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { formatDuration } from '../../kernel/index.ts';
import { found } from './found.ts';
import { addressAlone, isWrongUrl, readServerUrl, readServerVariables } from './server-url.ts';
import { serviceEnvironment } from './service-files.ts';

/** More is a mistake in how they were found. */
const SERVERS_MAX = 12;
const AT_ONCE_MAX = 4;
const STATUS_LIMIT_MS = 5000;
/** Tokens and certificates are valid by the minute; below this nothing breaks. */
const CLOCK_OFFSET_MS_MAX = 30_000;
/** As for certificates in files: who renews by itself has done so by then. */
const SOON_MS = 14 * 86_400_000;
/** Databases that the service does not use when it runs. */
const NOT_IN_USE = /(?:^|_)(?:TEST|TESTS|TESTING|SHADOW|EXAMPLE)(?:_|$)/i;

interface Server {
  /** What the person wrote: `DATABASE_URL`, `dependencies.postgres`. */
  readonly label: string;
  readonly component: string;
  readonly question: ServerQuestion;
  /** null where Grace found it by itself. */
  readonly declared: ComponentSpec | null;
  readonly versionMin: string | null;
}

/**
 * Databases and brokers of the service, each asked once in its own protocol, with the login that the service has. Those of the
 * config, and those that URLs of the environment name. Over HTTP only those of the config are asked: a URL may be an order.
 * One of the config whose protocol is not known is asked as a boot asks it: its status command, or whether it takes a connection.
 */
export const dependencies: Check = {
  name: 'dependencies',
  title: 'databases, brokers and other servers',
  timeLimitMs: 12_000,
  when: 'beside_start',
  isNeeded: async (context) => context.dependencies.length > 0 || (await serversOf(context)).length > 0,
  async run(context) {
    const servers = await serversOf(context);
    const findings: (readonly Finding[])[] = [];
    const unseen = new Set<string>();
    const wrong = wrongUrls(context, await environmentsOf(context));
    const byStatus = Promise.all(
      context.dependencies
        .filter(({ name }) => !servers.some((server) => server.component === name))
        .map(async (declared) => {
          const finding = await askStatus(context, declared);
          if (finding.length > 0) unseen.add(declared.name);
          return finding;
        }),
    );
    let next = 0;
    const work = async (): Promise<void> => {
      for (let at = next++; at < servers.length; at = next++) {
        const server = servers[at] as Server;
        const answer = await context.askServer(server.question, context.signal);
        // It may still be too old, or refuse the login: one who does not come so far does not know. Without a login nobody ever does.
        if (answer.state === 'failed' && answer.failure !== 'login_missing') unseen.add(server.component);
        findings[at] = judge(context, server, answer);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE_MAX }, work));
    return { findings: [...wrong, ...findings, ...(await byStatus)].flat(), unseen: [...unseen] };
  },
};

interface Environment {
  readonly spec: ComponentSpec;
  readonly env: Readonly<Record<string, string>>;
}

async function environmentsOf(context: CheckContext): Promise<readonly Environment[]> {
  const environments: Environment[] = [];
  for (const spec of context.components) environments.push({ spec, env: await serviceEnvironment(spec, context) });
  return environments;
}

/** The URL that the config gives for a dependency, with where it stands; `value` is null where its variable is not set. */
function urlOf(
  { name }: ComponentSpec,
  { settings }: CheckContext,
  environments: readonly Environment[],
): { readonly value: string | null; readonly variable: string | null; readonly env: Environment['env'] } | null {
  const { url = null } = settings.dependencies.get(name) ?? {};
  if (url === null) return null;
  const variable = /^\$\{?(\w+)\}?$/.exec(url)?.[1] ?? null;
  if (variable === null) return { value: url, variable, env: environments[0]?.env ?? {} };
  const holder = environments.find(({ env }) => env[variable]);
  return { value: holder?.env[variable] ?? null, variable, env: holder?.env ?? {} };
}

async function serversOf(context: CheckContext): Promise<readonly Server[]> {
  const environments = await environmentsOf(context);
  const all: Server[] = [];
  const add = (server: Server): void => {
    if (all.length < SERVERS_MAX && !all.some((one) => key(one.question) === key(server.question))) all.push(server);
  };

  for (const declared of context.dependencies) {
    const { versionMin = null } = context.settings.dependencies.get(declared.name) ?? {};
    const url = urlOf(declared, context, environments);
    const question = url?.value == null ? null : readServerUrl(url.value, url.env, context.projectDir);
    if (question !== null) add({ label: `dependencies.${declared.name}`, component: declared.name, question, declared, versionMin });
  }
  for (const { spec, env } of environments)
    for (const { name, question } of [...urlsIn(env, spec.cwd), ...readServerVariables(env, spec.cwd)]) {
      if (isOwn(question, context)) continue;
      // One that is declared by its port alone is asked with the login that the environment has for it.
      const declared = context.dependencies.find((one) => one.port === question.port && isSameHost(one.host, question.host)) ?? null;
      const versionMin = declared === null ? null : (context.settings.dependencies.get(declared.name)?.versionMin ?? null);
      add({ label: name, component: declared?.name ?? spec.name, question, declared, versionMin });
    }
  for (const declared of context.dependencies) {
    if (declared.port === null || hasStatus(declared) || all.some(({ component }) => component === declared.name)) continue;
    const question = addressAlone(declared.host, declared.port);
    // Somebody else may have it declared under another name, or in the environment.
    if (all.some((one) => one.question.port === question.port && isSameHost(one.question.host, question.host))) continue;
    add({ label: `dependencies.${declared.name}`, component: declared.name, question, declared, versionMin: null });
  }
  return all;
}

/** Variables that nobody sets, and URLs that nobody can read: the service will know no better. */
function wrongUrls(context: CheckContext, environments: readonly Environment[]): readonly (readonly Finding[])[] {
  const say = (component: string, code: string, message: string, hint: string): readonly Finding[] => [
    found(context, { severity: 'warn', code, component, message, hint }),
  ];
  const hint = 'write it as scheme://user:password@host:port/name, with @ : / and # in a password as %40 %3A %2F and %23';
  const declared = context.dependencies.flatMap((one) => {
    const url = urlOf(one, context, environments);
    if (url === null) return [];
    const label = `dependencies.${one.name}`;
    if (url.value === null)
      return [
        say(
          one.name,
          'dependency_url_unset',
          `${label}: its url is $${url.variable ?? ''}, which is not set`,
          'set it, or correct its name',
        ),
      ];
    return isWrongUrl(url.value, url.env, context.projectDir)
      ? [say(one.name, 'dependency_url_wrong', `${label}: its url has no host and port that can be read`, hint)]
      : [];
  });
  const inEnvironment = environments.flatMap(({ spec, env }) =>
    Object.keys(env)
      .filter((name) => !NOT_IN_USE.test(name) && isWrongUrl(env[name] ?? '', env, spec.cwd))
      .map((name) =>
        say(spec.name, 'dependency_url_wrong', `${name.slice(0, 100)} is a URL without a host and port that can be read`, hint),
      ),
  );
  return [...declared, ...inEnvironment.slice(0, SERVERS_MAX)];
}

function hasStatus({ readiness }: ComponentSpec): boolean {
  return readiness?.target.kind === 'command';
}

/** Runs what the config says tells whether it is there, as a boot does. */
async function askStatus(context: CheckContext, declared: ComponentSpec): Promise<readonly Finding[]> {
  const target = declared.readiness?.target;
  if (target?.kind !== 'command' || target.argv.length === 0) return [];
  const { exitCode, spawnErrorCode, timedOut, signal } = await context.spawner.run(target.argv, {
    cwd: declared.cwd,
    env: await context.environmentOf(declared),
    timeoutMs: STATUS_LIMIT_MS,
    signal: context.signal,
  });
  if (exitCode === 0 || context.signal.aborted) return [];
  const how =
    spawnErrorCode !== null
      ? `could not be run (${spawnErrorCode})`
      : timedOut
        ? `gave no answer in ${STATUS_LIMIT_MS / 1000} s`
        : `says that it is not there (${signal ?? `exit code ${exitCode}`})`;
  return [
    found(context, {
      severity: declared.command.length > 0 && spawnErrorCode === null ? 'info' : declared.critical && !timedOut ? 'error' : 'warn',
      code: 'dependency_unreachable',
      component: declared.name,
      message: `dependencies.${declared.name}: its status command ${how}`,
      hint: 'start it, or correct its status command',
    }),
  ];
}

function* urlsIn(
  env: Readonly<Record<string, string>>,
  cwd: string,
): Generator<{ readonly name: string; readonly question: ServerQuestion }> {
  for (const name of Object.keys(env).toSorted()) {
    if (NOT_IN_USE.test(name)) continue;
    const question = readServerUrl(env[name] ?? '', env, cwd);
    if (question !== null && question.protocol !== 'http' && question.protocol !== 'tls') yield { name, question };
  }
}

/** A component of the config, which need not run yet. */
function isOwn(question: ServerQuestion, { components }: CheckContext): boolean {
  return components.some(({ port, host }) => port === question.port && isSameHost(host, question.host));
}

function isSameHost(a: string, b: string): boolean {
  const here = /^(?:localhost|127\.\d+\.\d+\.\d+|::1|0\.0\.0\.0|::)$/;
  return a === b || (here.test(a) && here.test(b));
}

function key({ protocol, host, port, user, database }: ServerQuestion): string {
  return JSON.stringify([protocol, host, port, user, database]);
}

function judge(context: CheckContext, server: Server, answer: ServerAnswer): readonly Finding[] {
  const say = (severity: Severity, code: string, message: string, hint: string): Finding =>
    found(context, {
      severity,
      code,
      component: server.component,
      message: `${server.label}: ${nameOf(server.question)} ${message}`,
      hint,
    });
  const { declared } = server;
  const severity: Severity = declared?.critical === true ? 'error' : 'warn';
  if (answer.state === 'failed') {
    const { code, hint } = FAILURES[answer.failure];
    // Grace starts it when the boot comes to it; and a login that is nowhere in sight may be where only the service looks.
    const isNoMistake =
      (declared !== null && declared.command.length > 0 && ['refused', 'not_ready'].includes(answer.failure)) ||
      answer.failure === 'login_missing';
    return [say(isNoMistake ? 'info' : severity, code, `cannot be used: ${answer.problem}`, hint)];
  }
  const findings: Finding[] = [];
  const { product, version, clockOffsetMs, certificateEndsMs } = answer;
  if (server.versionMin !== null && version !== null && isOlder(version, server.versionMin))
    findings.push(
      say(
        severity,
        'dependency_too_old',
        `is ${product} ${version}, and ${server.versionMin} is asked for`,
        'upgrade it, or lower versionMin',
      ),
    );
  if (clockOffsetMs !== null && Math.abs(clockOffsetMs) > CLOCK_OFFSET_MS_MAX)
    findings.push(
      say(
        'warn',
        'clock_offset',
        `has a clock that is ${formatDuration(Math.abs(clockOffsetMs))} ${clockOffsetMs < 0 ? 'behind' : 'ahead of'} this machine`,
        'let both take their time from a time server: tokens and certificates depend on it',
      ),
    );
  const leftMs = certificateEndsMs === null ? Infinity : certificateEndsMs - context.clock.nowMs();
  if (leftMs > 0 && leftMs < SOON_MS)
    findings.push(say('warn', 'certificate_expires_soon', `has a certificate that expires in ${formatDuration(leftMs)}`, 'renew it'));
  return findings;
}

const FAILURES: Readonly<Record<ServerFailure, { readonly code: string; readonly hint: string }>> = {
  refused: { code: 'dependency_unreachable', hint: 'start it, or correct its port: does it listen on this address?' },
  no_route: { code: 'dependency_unreachable', hint: 'look at the network and the address: ip route' },
  unknown_host: { code: 'dependency_unreachable', hint: 'correct the host name, or look at the name server: getent hosts NAME' },
  timeout: { code: 'dependency_unreachable', hint: 'is it overloaded, or does a firewall drop what is sent there?' },
  closed: { code: 'dependency_unreachable', hint: 'look at its log: does it want TLS, and does it take connections from here?' },
  too_much: { code: 'dependency_other_protocol', hint: 'what listens on this port? correct the host or the port' },
  other_protocol: { code: 'dependency_other_protocol', hint: 'what listens on this port? correct the scheme, the host or the port' },
  certificate_expired: { code: 'dependency_not_trusted', hint: 'renew its certificate; look at the clock of this machine' },
  certificate_not_trusted: {
    code: 'dependency_not_trusted',
    hint: 'name its authority in the URL, or with SSL_CERT_FILE or NODE_EXTRA_CA_CERTS',
  },
  certificate_other_name: { code: 'dependency_not_trusted', hint: 'ask it by a name of its certificate, or get one for this name' },
  encryption: { code: 'dependency_not_trusted', hint: 'compare what the URL says of TLS with what the server wants' },
  login_refused: {
    code: 'dependency_login_refused',
    hint: 'correct user and password of the service, or its rights on the server; then: grace check',
  },
  login_missing: { code: 'dependency_login_missing', hint: 'it was not tried further; put the login into the URL if the service has none' },
  unknown_database: { code: 'dependency_database_missing', hint: 'create it, or correct its name' },
  not_ready: { code: 'dependency_not_ready', hint: 'try again shortly; look at its log' },
};

const PRODUCTS: Readonly<Record<ServerQuestion['protocol'], string>> = {
  postgresql: 'PostgreSQL',
  mysql: 'MySQL',
  redis: 'Redis',
  nats: 'NATS',
  amqp: 'the AMQP broker',
  http: 'the HTTP server',
  tls: 'the TLS server',
  tcp: 'the server',
};

/** Without user, password and database. */
function nameOf({ protocol, host, port }: ServerQuestion): string {
  const where = host.startsWith('/') ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return `${PRODUCTS[protocol]} at ${where.slice(0, 120)}`;
}

/** Compares number by number as far as the wanted one goes. */
function isOlder(version: string, wanted: string): boolean {
  const [has, wants] = [version, wanted].map((text) => text.split('.').map(Number)) as [number[], number[]];
  for (const [i, want] of wants.entries()) {
    const got = has[i] ?? 0;
    if (got !== want) return got < want;
  }
  return false;
}
