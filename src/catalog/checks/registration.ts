import {
  askedPaths,
  compareRoutes,
  expectedRoute,
  isAnswer,
  routeText,
  shareOf,
  shareText,
  type Check,
  type CheckAnswer,
  type CheckContext,
  type ExpectedRoute,
  type Finding,
  type RegisteredRoutes,
  type Registration,
  type RunningComponent,
  type ServiceView,
} from '../../domains/preflight/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { found, listed } from './found.ts';

/** A service that is asked more often than this at once would notice. */
const ASKED_MAX = 50;
const ASKED_AT_ONCE = 4;
const ANSWER_MS = 2000;
/** All answers together: a boot waits for them. */
const ASKING_MS = 8000;
/** A process that was just started again, and routes that a service adds after it listens, are there a moment later. */
const LOOKS = 3;
const LOOK_AGAIN_MS = 500;
const DOCUMENT_BYTES_MAX = 2_000_000;

/** Whether everything that should be there is, once the service runs [PF-4]: its processes, its routes, its probes. */
export const registration: Check = {
  name: 'registration',
  title: 'services, routes and probes',
  timeLimitMs: 25_000,
  when: 'when_ready',
  isNeeded: ({ service }) => Promise.resolve(service !== null),
  async run(context) {
    const { service, components } = context;
    if (service === null) return [];
    const running = await settledComponents(components, service, context);
    const findings: Finding[] = [];
    const alive: { readonly spec: ComponentSpec; readonly state: RunningComponent }[] = [];
    for (const spec of components) {
      const state = running.get(spec.name);
      if (state?.state === 'alive') alive.push({ spec, state });
      else if (state === undefined || state.state === 'gone')
        findings.push(
          say(context, 'service_missing', spec.name, 'has no living process', 'see why it ended: grace explain, and its log: grace status'),
        );
    }
    const asker = new Asker(context);
    let [expectedCount, fineCount] = [0, 0];
    for (const { spec, state } of alive) {
      const expected = await expectedRoutes(spec, context, findings);
      if (expected.length === 0) continue;
      const routes = await lookAt(spec, state, expected, service, asker, context);
      findings.push(...routes.findings);
      expectedCount += expected.length;
      fineCount += routes.fine;
    }
    return { findings: [...findings, ...probesMissing(context)], ...coverage(context, fineCount, expectedCount) };
  },
};

function say(context: CheckContext, code: string, component: string, message: string, hint: string): Finding {
  return found(context, { severity: context.settings.registration.isRequired ? 'error' : 'warn', code, component, message, hint });
}

async function settledComponents(
  components: readonly ComponentSpec[],
  service: ServiceView,
  { clock, signal }: CheckContext,
): Promise<ReadonlyMap<string, RunningComponent>> {
  for (let look = 1; ; look++) {
    const running = new Map((await service.components()).map((component) => [component.name, component]));
    if (look === LOOKS || components.every(({ name }) => (running.get(name)?.state ?? 'gone') !== 'gone')) return running;
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

/** What the config and the document promise, each once. */
async function expectedRoutes(spec: ComponentSpec, context: CheckContext, findings: Finding[]): Promise<readonly ExpectedRoute[]> {
  const { routes, openApi } = context.settings.registration;
  const expected = (routes.get(spec.name) ?? []).map(expectedRoute);
  const document = openApi.get(spec.name);
  if (document !== undefined) {
    const text = await context.files.readText(document.file, DOCUMENT_BYTES_MAX + 1).catch(() => null);
    const answer =
      text === null
        ? ({ state: 'unreadable', problem: 'is not there, or may not be read' } as const)
        : text.length > DOCUMENT_BYTES_MAX
          ? ({ state: 'unreadable', problem: 'is larger than 2 MB' } as const)
          : await context.readOpenApi(text, context.signal);
    if (answer.state === 'read') {
      const { basePath } = document;
      expected.push(...(basePath === null ? answer.routes : answer.routes.map((route) => ({ ...route, bases: [basePath] }))));
    } else
      findings.push(
        found(context, {
          severity: context.settings.registration.isRequired ? 'error' : 'warn',
          code: 'openapi_unreadable',
          component: spec.name,
          file: document.file,
          message: answer.problem,
          hint: `correct it, or the path in components.${spec.name}.openapi`,
        }),
      );
  }
  return [...new Map(expected.map((route) => [JSON.stringify(route), route])).values()];
}

type Asked =
  | { readonly state: 'answered' | 'refused'; readonly detail: string; readonly isHttp: boolean }
  | { readonly state: 'not_asked' };

async function lookAt(
  spec: ComponentSpec,
  state: RunningComponent,
  expected: readonly ExpectedRoute[],
  service: ServiceView,
  asker: Asker,
  context: CheckContext,
): Promise<{ readonly findings: readonly Finding[]; readonly fine: number }> {
  const registered = await settledRoutes(spec, expected, service, context);
  const compared = registered === null ? null : compareRoutes(expected, registered);
  const kinds = expected.map((_, i): Registration | 'untold' => compared?.expected[i] ?? 'untold');
  const asked = await asker.askAll(spec, state, expected, kinds);
  const findings: Finding[] = [];
  const isMute =
    asked.some((a) => a.state === 'refused') && !asked.some((a) => a.state === 'answered' || (a.state === 'refused' && a.isHttp));
  if (isMute) {
    const first = asked.find((a): a is Exclude<Asked, { state: 'not_asked' }> => a.state === 'refused');
    findings.push(
      say(
        context,
        'routes_unasked',
        spec.name,
        `none of its routes could be asked: ${first?.detail ?? ''}`,
        'see that host and port are right, or that its readiness probe has the whole address (http or https)',
      ),
    );
  }
  let fine = 0;
  for (const [i, route] of expected.entries()) {
    const [kind, answer] = [kinds[i], asked[i]];
    const isRefused = answer?.state === 'refused' && !isMute;
    if (answer?.state === 'answered' || (kind === 'registered' && !isRefused)) fine++;
    else if (kind === 'missing')
      findings.push(
        say(
          context,
          'route_missing',
          spec.name,
          `${routeText(route)} is not registered${isRefused ? `, and ${answer.detail}` : ''}`,
          'add it, or take it out of what is expected; registerRoutes() has to be called before the routes are added',
        ),
      );
    else if (isRefused)
      findings.push(
        say(context, 'route_unanswered', spec.name, `${routeText(route)} ${answer.detail}`, `look into its log: ${spec.logFile}`),
      );
  }
  if (compared !== null && compared.unexpected > 0)
    findings.push(
      found(context, {
        severity: 'info',
        code: 'routes_unexpected',
        component: spec.name,
        message: `${compared.unexpected} of its routes are expected by nobody`,
        hint: `add them to components.${spec.name}.routes, or to its OpenAPI document`,
      }),
    );
  return { findings, fine };
}

async function settledRoutes(
  spec: ComponentSpec,
  expected: readonly ExpectedRoute[],
  service: ServiceView,
  { clock, signal }: CheckContext,
): Promise<RegisteredRoutes | null> {
  for (let look = 1; ; look++) {
    const registered = await service.registeredRoutes(spec.name);
    // Who does not use the library writes nothing, however long somebody waits.
    if (registered === null || look === LOOKS || !compareRoutes(expected, registered).expected.includes('missing')) return registered;
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

/** Asks with GET, of all components together no more than is polite. */
class Asker {
  private left = ASKED_MAX;
  private readonly untilMs: number;
  private readonly context: CheckContext;

  constructor(context: CheckContext) {
    this.context = context;
    this.untilMs = context.clock.monotonicMs() + ASKING_MS;
  }

  async askAll(
    spec: ComponentSpec,
    state: RunningComponent,
    expected: readonly ExpectedRoute[],
    kinds: readonly (Registration | 'untold')[],
  ): Promise<readonly Asked[]> {
    const address = this.context.settings.registration.isAsked ? addressOf(spec, state.port) : null;
    const answers: Asked[] = expected.map(() => ({ state: 'not_asked' }));
    if (address === null) return answers;
    let next = 0;
    const work = async (): Promise<void> => {
      for (let at = next++; at < expected.length; at = next++)
        answers[at] = await this.askOne(expected[at] as ExpectedRoute, kinds[at] ?? 'untold', address);
    };
    await Promise.all(Array.from({ length: ASKED_AT_ONCE }, work));
    return answers;
  }

  /** Below each base it may have, until one answers. */
  private async askOne(route: ExpectedRoute, kind: Registration | 'untold', { origin, caFile }: Address): Promise<Asked> {
    const { ask, clock, signal } = this.context;
    let answer: Asked = { state: 'not_asked' };
    for (const path of askedPaths(route)) {
      const url = `${origin}${path}`;
      if (this.left <= 0 || clock.monotonicMs() >= this.untilMs || !URL.canParse(url)) return answer;
      this.left--;
      const got = await ask({ url, caFile, serverName: null, isCertificateChecked: caFile !== null, timeoutMs: ANSWER_MS }, signal);
      if ('status' in got) {
        const isThere = isAnswer(got.status, kind);
        answer = { state: isThere ? 'answered' : 'refused', detail: `answers ${got.status}`, isHttp: true };
        if (isThere) return answer;
      } else answer = { state: 'refused', detail: `does not answer (${got.code})`, isHttp: false };
    }
    return answer;
  }
}

interface Address {
  readonly origin: string;
  readonly caFile: string | null;
}

/** As its probe asks it, which knows whether it speaks TLS; else its port. */
function addressOf(spec: ComponentSpec, port: number | null): Address | null {
  for (const probe of [spec.readiness, spec.liveness, spec.startup]) {
    if (probe?.target.kind !== 'http') continue;
    const url = new URL(probe.target.url);
    if (port === null || url.port === String(port)) return { origin: url.origin, caFile: probe.target.caFile };
  }
  if (port === null) return null;
  const host = spec.host === '0.0.0.0' ? '127.0.0.1' : spec.host === '::' ? '::1' : spec.host;
  return { origin: `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`, caFile: null };
}

function hasProbe({ name, readiness, liveness }: ComponentSpec, { smokeTested }: CheckContext): boolean {
  return readiness !== null || liveness !== null || smokeTested.has(name);
}

function probesMissing(context: CheckContext): readonly Finding[] {
  const without = context.components.filter((spec) => !hasProbe(spec, context)).map(({ name }) => name);
  if (without.length === 0) return [];
  return [
    found(context, {
      severity: 'info',
      code: 'probe_missing',
      component: without.length === 1 ? (without[0] ?? 'grace') : 'grace',
      message: `no probe and no smoke check asks ${listed(without)}: only the process and the port are watched`,
      hint: "give it one: readiness: { http: '/ready' }",
    }),
  ];
}

function coverage(context: CheckContext, fine: number, expected: number): Pick<CheckAnswer, 'summary' | 'figures'> {
  const probes = shareOf(context.components.filter((spec) => hasProbe(spec, context)).length, context.components.length);
  const routes = shareOf(fine, expected);
  return {
    summary: [shareText('probes', probes), ...(expected === 0 ? [] : [shareText('routes', routes)])].join(', '),
    figures: { probes: { ...probes }, routes: { ...routes } },
  };
}
