import type { Check, CheckContext, Finding } from '../../domains/preflight/index.ts';
import { found } from './found.ts';

const TIMEOUT_MS = 3000;

/** Answers of `/v1/sys/health`; everything below 500 serves. See the API of HashiCorp Vault and OpenBao. */
const STATES: Readonly<Record<number, { readonly message: string; readonly hint: string }>> = {
  501: { message: 'is not initialised', hint: 'initialise it: vault operator init' },
  503: { message: 'is sealed', hint: 'unseal it: vault operator unseal' },
};

const base = { name: 'vault', title: 'secrets vault', timeLimitMs: 5000 } as const;

/** Whether the vault that the config names answers, is initialised and unsealed. */
export const vault: Check = {
  ...base,
  when: 'before_start',
  severityWhenBroken: 'error',
  isNeeded: async ({ settings }) => typeof settings.vault === 'object',
  run: (context) => {
    const { vault: asked } = context.settings;
    return typeof asked === 'object' ? ask(asked.address, asked.caFile, {}, 'error', 'grace', context) : Promise.resolve([]);
  },
};

/** The same for `VAULT_ADDR` of a component; it may be left over from another program, so this only warns. */
export const vaultOfEnvironment: Check = {
  ...base,
  name: 'vault_of_environment',
  when: 'beside_start',
  isNeeded: async (context) => (await addresses(context)).length > 0,
  async run(context) {
    const findings: Finding[] = [];
    for (const { address, component, env } of await addresses(context))
      findings.push(...(await ask(address, env['VAULT_CACERT'] || null, env, 'warn', component, context)));
    return findings;
  },
};

async function addresses(context: CheckContext) {
  const all: { address: string; component: string; env: Readonly<Record<string, string>> }[] = [];
  if (context.settings.vault !== 'environment') return all;
  for (const spec of context.components) {
    const env = await context.environmentOf(spec);
    const address = env['VAULT_ADDR'] ?? '';
    if (address !== '' && !all.some((one) => one.address === address)) all.push({ address, component: spec.name, env });
  }
  return all;
}

async function ask(
  address: string,
  caFile: string | null,
  env: Readonly<Record<string, string>>,
  severity: 'error' | 'warn',
  component: string,
  context: CheckContext,
): Promise<readonly Finding[]> {
  const say = (code: string, message: string, hint: string): readonly Finding[] => [
    found(context, { severity, code, component, message: `the vault at ${shown(address)} ${message}`, hint }),
  ];
  if (!/^https?:\/\//.test(address) || !URL.canParse(address))
    return say('vault_unreachable', 'has no address of the form https://host:8200', 'correct VAULT_ADDR, or preflight.vault');
  const answer = await context.ask(
    {
      url: new URL('/v1/sys/health', address).href,
      caFile,
      serverName: env['VAULT_TLS_SERVER_NAME'] || null,
      isCertificateChecked: !/^(?:1|t|true)$/i.test(env['VAULT_SKIP_VERIFY'] ?? ''),
      timeoutMs: TIMEOUT_MS,
    },
    context.signal,
  );
  if ('problem' in answer) {
    const isTrust = /CERT|SELF_SIGNED|ISSUER|ALTNAME|SSL/.test(answer.code);
    return say(
      isTrust ? 'vault_not_trusted' : 'vault_unreachable',
      isTrust ? `is not trusted: ${answer.problem}` : `does not answer: ${answer.problem}`,
      isTrust
        ? 'name its authority with VAULT_CACERT or preflight.vault.caFile; look at the date and the name of its certificate'
        : 'start it, or correct the address; can this machine reach it?',
    );
  }
  const state = STATES[answer.status];
  if (state !== undefined) return say('vault_not_ready', state.message, state.hint);
  // 429, 472 and 473 are standby nodes: they answer for the active one
  return answer.status < 400 || [429, 472, 473].includes(answer.status)
    ? []
    : say(
        'vault_unreachable',
        `answers ${answer.status} where a vault tells its health`,
        'is it a vault, and is the address without a path?',
      );
}

/** Without user and password, if somebody put them there. */
function shown(address: string): string {
  return URL.canParse(address) ? new URL(address).host : 'an invalid address';
}
