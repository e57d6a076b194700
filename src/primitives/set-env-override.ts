import { isSecretName, Redactor } from '../domains/incidents/index.ts';
import type { Primitive } from '../domains/playbooks/index.ts';
import { Parameters } from './parameters.ts';

type Params = { readonly name: string; readonly value: string };
type Override = { readonly name: string; readonly from: string | null; readonly to: string };

/** Variables that load code, or switch off a check that protects somebody. */
const NEVER =
  /^(?:LD_|DYLD_|BASH_ENV$|ENV$|IFS$|PYTHONSTARTUP$|PERL5OPT$|RUBYOPT$|JAVA_TOOL_OPTIONS$|GIT_SSL_NO_VERIFY$|NODE_TLS_REJECT_UNAUTHORIZED$|PYTHONHTTPSVERIFY$)|(?:^|_)(?:INSECURE|SKIP_?VERIFY|NO_?VERIFY|NO_?AUTH|DISABLE_?AUTH|AUTH_?DISABLED|TRUST_ALL)(?:_|$)/i;
/** Node options that load files or open a debugger. */
const NODE_OPTIONS_NEVER =
  /(?:^|\s)(?:-r|--require|--import|--loader|--experimental-loader|--inspect\S*|--env-file\S*|--tls-min-v1\.\d|--security-revert\S*)(?:=|\s|$)/;

export const setEnvOverride: Primitive<Params> = {
  name: 'set_env_override',
  description: 'Sets a variable, never a secret, for the next starts of the component.',
  risk: 'low',

  parse(params) {
    const p = new Parameters('set_env_override', params, ['name', 'value']);
    const name = p.text('name', 128);
    const value = p.raw('value');
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) p.wrong(`"${name}" is no name of a variable`);
    if (isSecretName(name)) p.wrong(`${name} is named like a secret, and overrides are not kept as secrets`);
    if (NEVER.test(name)) p.wrong(`${name} loads code or switches a protection off`);
    if (typeof value !== 'string' || value.length > 4096 || /[\0\n\r]/.test(value)) return p.wrong('"value" has to be one line of text');
    if (new Redactor().redact(value) !== value) p.wrong('"value" looks like a secret');
    if (name === 'NODE_OPTIONS' && NODE_OPTIONS_NEVER.test(value)) p.wrong('these NODE_OPTIONS load code or open a debugger');
    return { name, value };
  },

  async plan({ name, value }, { component, overrides }) {
    const { env } = await overrides.get(component.name);
    const from = env[name] ?? null;
    if (from === value) return { state: 'nothing_to_do', summary: `${name} is ${value} already` };
    const undo: Override = { name, from, to: value };
    return { state: 'ready', summary: `${name}=${value} from the next start`, targets: [name], undo };
  },

  async apply({ name, value }, { component, overrides }) {
    const { env } = await overrides.get(component.name);
    await overrides.set(component.name, { env: { ...env, [name]: value } });
    return { summary: `${name}=${value} from the next start`, changed: [name] };
  },

  async undo(record, { component, overrides }) {
    const { name, from, to } = record as unknown as Override;
    const { env } = await overrides.get(component.name);
    if (env[name] !== to) return; // never set, undone before, or chosen anew by somebody
    const { [name]: _gone, ...rest } = env;
    await overrides.set(component.name, { env: from === null ? rest : { ...rest, [name]: from } });
  },
};
