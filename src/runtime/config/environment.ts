import { didYouMean, type Mistakes } from './mistakes.ts';

/** The settings that may stand in the environment, where they win over the config file. */
export interface EnvironmentSettings {
  readonly SELF_HEAL_EXECUTE?: boolean | undefined;
  readonly RUN_POST_BOOT_STRESS_TEST?: boolean | undefined;
  readonly ESTABLISH_WATCHDOG_BASELINE?: boolean | undefined;
  readonly ENABLE_ANOMALY_WATCHDOG?: boolean | undefined;
  /** Share from 0 to 1. */
  readonly WATCHDOG_ERROR_RATE_THRESHOLD?: number | undefined;
  readonly WATCHDOG_LATENCY_P95_MS?: number | undefined;
  readonly WATCHDOG_MEMORY_GROWTH_MB?: number | undefined;
  readonly WATCHDOG_FAILURE_RATE?: number | undefined;
  readonly MAX_HEALING_ATTEMPTS?: number | undefined;
  readonly ENABLE_AMP_ESCALATION?: boolean | undefined;
  readonly AMP_API_KEY?: string | undefined;
  readonly GRACE_DATABASE_URL?: string | undefined;
  readonly GRACE_MESH_URL?: string | undefined;
  readonly GRACE_PORT?: number | undefined;
  readonly GRACE_DATA_DIR?: string | undefined;
}

export type EnvironmentName = keyof EnvironmentSettings;

/** A value, or why the text is none. */
export type Read = { readonly value: boolean | number | string } | { readonly problem: string; readonly suggestion?: string | null };
type Reader = (text: string) => Read;

const READERS: Readonly<Record<EnvironmentName, Reader>> = {
  SELF_HEAL_EXECUTE: yesOrNo,
  RUN_POST_BOOT_STRESS_TEST: yesOrNo,
  ESTABLISH_WATCHDOG_BASELINE: yesOrNo,
  ENABLE_ANOMALY_WATCHDOG: yesOrNo,
  WATCHDOG_ERROR_RATE_THRESHOLD: share,
  WATCHDOG_LATENCY_P95_MS: number(1, 3_600_000, 'milliseconds'),
  WATCHDOG_MEMORY_GROWTH_MB: number(1, 1_000_000, 'megabytes per hour'),
  WATCHDOG_FAILURE_RATE: share,
  MAX_HEALING_ATTEMPTS: number(0, 20, 'attempts', true),
  ENABLE_AMP_ESCALATION: yesOrNo,
  AMP_API_KEY: secret,
  GRACE_DATABASE_URL: url(['postgres:', 'postgresql:', 'sqlite:', 'file:'], 'postgres://user@host/database'),
  GRACE_MESH_URL: url(['nats:', 'tls:', 'ws:', 'wss:', 'postgres:', 'postgresql:'], 'nats://host:4222'),
  GRACE_PORT: number(1, 65_535, 'a port', true),
  GRACE_DATA_DIR: directory,
};

export const ENVIRONMENT_NAMES = Object.keys(READERS) as readonly EnvironmentName[];

/**
 * Reads Grace's own settings out of an environment; empty variables count as not set.
 * @param location where the environment comes from, for the report: `environment`, `.env`
 */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  mistakes: Mistakes,
  location = 'environment',
): EnvironmentSettings {
  const settings: Record<string, boolean | number | string> = {};
  for (const name of ENVIRONMENT_NAMES) {
    const text = env[name]?.trim();
    if (text === undefined || text === '') continue;
    const read = READERS[name](text);
    if ('value' in read) settings[name] = read.value;
    else mistakes.add(name, read.problem, read.suggestion ?? null, location);
  }
  return settings;
}

/** One setting, by the rules of the variable of that name. */
export function readSetting(name: EnvironmentName, text: string): Read {
  return READERS[name](text);
}

const TRUE_WORDS = ['true', '1', 'yes', 'on'];
const FALSE_WORDS = ['false', '0', 'no', 'off'];

function yesOrNo(text: string): Read {
  const word = text.toLowerCase();
  if (TRUE_WORDS.includes(word)) return { value: true };
  if (FALSE_WORDS.includes(word)) return { value: false };
  return {
    problem: `must be true or false, not ${shown(text)}`,
    suggestion: didYouMean(text, ['true', 'false']),
  };
}

/** Decimal digits only: `0x10`, `1e9` and `Infinity` are numbers to JavaScript, but nobody means them here. */
const DECIMAL = /^\d{1,12}(?:\.\d{1,6})?$/;

function number(least: number, most: number, what: string, isWhole = false): Reader {
  const problem = `must be ${isWhole ? 'a whole number' : 'a number'} from ${least} to ${most} (${what})`;
  return (text) => {
    const value = Number(text);
    if (DECIMAL.test(text) && value >= least && value <= most && (!isWhole || Number.isInteger(value))) return { value };
    return { problem: `${problem}, not ${shown(text)}` };
  };
}

function share(text: string): Read {
  const value = Number(text);
  if (DECIMAL.test(text) && value > 0 && value <= 1) return { value };
  const percent = /^(\d{1,3}(?:\.\d{1,3})?)\s*%?$/.exec(text)?.[1];
  return {
    problem: `must be a share above 0 and up to 1, not ${shown(text)}`,
    suggestion:
      percent !== undefined && Number(percent) > 0 && Number(percent) <= 100
        ? `${percent} % is ${Number((Number(percent) / 100).toFixed(6))}`
        : null,
  };
}

function secret(text: string): Read {
  return /^[\x21-\x7e]{1,512}$/.test(text) ? { value: text } : { problem: 'must be one word of printable ASCII' };
}

function url(protocols: readonly string[], example: string): Reader {
  return (text) => {
    const protocol = URL.canParse(text) ? new URL(text).protocol : null;
    if (protocol !== null && protocols.includes(protocol)) return { value: text };
    // the text itself may hold a password, so it is not repeated
    const problem = protocol === null ? 'must be a URL' : `must be a URL of another kind than ${protocol}//`;
    return { problem, suggestion: `write it like ${example}` };
  };
}

function directory(text: string): Read {
  return text.includes('\0') ? { problem: 'must be a path without null bytes' } : { value: text };
}

function shown(text: string): string {
  return JSON.stringify(text.length <= 40 ? text : `${text.slice(0, 40)}…`);
}
