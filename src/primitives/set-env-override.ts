import { isSecretName, Redactor } from '../domains/incidents/index.ts';
import { observeEnvVariables, setEnvVariable, undoEnvVariable, type EnvOverride } from './env-override.ts';
import { definePrimitive } from './define-primitive.ts';
import { text, line } from './parameter.ts';

/** Variables that load code, or switch off a check that protects somebody. */
const NEVER =
  /^(?:LD_|DYLD_|BASH_ENV$|ENV$|IFS$|PYTHONSTARTUP$|PERL5OPT$|RUBYOPT$|JAVA_TOOL_OPTIONS$|GIT_SSL_NO_VERIFY$|NODE_TLS_REJECT_UNAUTHORIZED$|PYTHONHTTPSVERIFY$)|(?:^|_)(?:INSECURE|SKIP_?VERIFY|NO_?VERIFY|NO_?AUTH|DISABLE_?AUTH|AUTH_?DISABLED|TRUST_ALL)(?:_|$)/i;
/** Node options that load files or open a debugger. */
const NODE_OPTIONS_NEVER =
  /(?:^|\s)(?:-r|--require|--import|--loader|--experimental-loader|--inspect\S*|--env-file\S*|--tls-min-v1\.\d|--security-revert\S*)(?:=|\s|$)/;

export const setEnvOverride = definePrimitive({
  name: 'set_env_override',
  description: 'Sets a variable, never a secret, for the next starts of the component.',
  risk: 'low',

  parameters: {
    name: text('Name of the variable.', 128),
    value: line('Its value; may be empty.'),
  },
  confinement: 'the environment of this component; no secret, nothing that loads code',

  check({ name, value }, wrong) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) wrong(`"${name}" is no name of a variable`);
    if (isSecretName(name)) wrong(`${name} is named like a secret, and overrides are not kept as secrets`);
    if (NEVER.test(name)) wrong(`${name} loads code or switches a protection off`);
    if (new Redactor().redact(value) !== value) wrong('"value" looks like a secret');
    if (name === 'NODE_OPTIONS' && NODE_OPTIONS_NEVER.test(value)) wrong('these NODE_OPTIONS load code or open a debugger');
  },

  async plan({ name, value }, { component, overrides }) {
    const { env } = await overrides.get(component.name);
    const from = env[name] ?? null;
    if (from === value) return { state: 'nothing_to_do', summary: `${name} is ${value} already` };
    const undo: EnvOverride = { name, from, to: value };
    return { state: 'ready', summary: `${name}=${value} from the next start`, targets: [name], undo };
  },

  async apply({ name, value }, context, record) {
    await setEnvVariable('set_env_override', record as unknown as EnvOverride, context);
    return { summary: `${name}=${value} from the next start`, changed: [name] };
  },

  observe: observeEnvVariables,

  undo: undoEnvVariable,
});
