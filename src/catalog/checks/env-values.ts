import type { Check, CheckContext, Finding } from '../../domains/preflight/index.ts';
import { found } from './found.ts';
import { serviceEnvironment } from './service-files.ts';

const PORT_MAX = 65_535;

/** Values that cannot be what their name says. Programs differ in what they make of them, so this only warns. */
export const envValues: Check = {
  name: 'env_values',
  title: 'values of the environment',
  timeLimitMs: 2000,
  when: 'beside_start',
  isNeeded: async (context) => (await portsOf(context)).length > 0,
  async run(context) {
    return (await portsOf(context))
      .filter(({ port }) => !isPort(port))
      .map(({ component }): Finding =>
        found(context, {
          severity: 'warn',
          code: 'port_invalid',
          component,
          message: `PORT is no port: a number from 0 to ${PORT_MAX} is`,
          hint: 'correct it where it is set: the environment, or the env file',
        }),
      );
  },
};

async function portsOf(context: CheckContext): Promise<readonly { readonly component: string; readonly port: string }[]> {
  const ports: { component: string; port: string }[] = [];
  for (const spec of context.components) {
    const port = (await serviceEnvironment(spec, context))['PORT'];
    if (port !== undefined) ports.push({ component: spec.name, port });
  }
  return ports;
}

/** Also an address with a port, a socket or a pipe, which many programs take in its place; and what is still to be filled in. */
function isPort(value: string): boolean {
  const text = value.trim();
  return text === '' || /[/\\:${},]/.test(text) || (/^\d{1,9}$/.test(text) && Number(text) <= PORT_MAX);
}
