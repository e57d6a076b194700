import { StartupError } from './startup-error.ts';

export interface Environment {
  readonly API_TOKEN: string;
  readonly WEBHOOK_SIGNING_KEY: string;
  readonly DATABASE_PATH: string;
}

const apiTokenLengthMin = 16;
const portDefault = 4610;

/**
 * The variables a process needs, all of them present and valid.
 * @throws StartupError naming every variable that is missing (an empty one is missing) or invalid
 */
export function readEnvironment<Name extends keyof Environment>(...names: readonly Name[]): Pick<Environment, Name> {
  const mistakes: string[] = [];
  const values: Partial<Record<keyof Environment, string>> = {};
  for (const name of names) {
    const value = process.env[name];
    if (value === undefined || value === '') mistakes.push(`missing required environment variable ${name}`);
    else values[name] = value;
  }
  if (values.API_TOKEN !== undefined) mistakes.push(...mistakesOfApiToken(values.API_TOKEN));
  if (mistakes.length > 0) throw new StartupError(...mistakes);
  return values as Pick<Environment, Name>;
}

/** Where the API listens, and where the other processes find it. */
export function readAddress(): { readonly host: string; readonly port: number } {
  const text = process.env['PORT'] || String(portDefault);
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new StartupError(`PORT must be a whole number from 1 to 65535, not "${text}"`);
  }
  return { host: process.env['HOST'] || '127.0.0.1', port };
}

function mistakesOfApiToken(token: string): readonly string[] {
  if (token === 'changeme') return [`API_TOKEN must not be the placeholder 'changeme'`];
  if (token.length < apiTokenLengthMin) {
    return [`API_TOKEN must have at least ${apiTokenLengthMin} characters, it has ${token.length}`];
  }
  return [];
}
