import type { Json } from '../kernel/index.ts';

/**
 * One parameter of a primitive: what it is for, and what it may be. The check of a step, the reference documentation and the
 * types that an editor completes all come from this.
 */
export interface Parameter<Value extends Json = Json, Given extends Json = Json, Optional extends boolean = boolean> {
  /** What the value is and how large it may be: `text of at most 4096 characters`. */
  readonly shape: string;
  /** What a playbook may write, as TypeScript: `string | number`. `given` is the same for the type system; a test compares the two. */
  readonly type: string;
  /** One sentence: what it is for. */
  readonly about: string;
  readonly isOptional: Optional;
  /** @returns the value, or what it has to be, in words that follow its name */
  read(value: Json): { readonly value: Value } | { readonly problem: string };
  /** What a playbook may write; only a type, there is never a value. */
  readonly given?: Given;
}

/** By name, in the order in which people read them. */
export type ParameterList = Readonly<Record<string, Parameter>>;

/** What a primitive gets: every parameter, null where an optional one was left out. */
export type ParsedParameters<L extends ParameterList> = {
  readonly [Name in keyof L]: L[Name] extends Parameter<infer Value, infer _Given> ? Value : never;
};

type OptionalNames<L extends ParameterList> = {
  [Name in keyof L]: L[Name] extends Parameter<infer _Value, infer _Given, true> ? Name : never;
}[keyof L];
type GivenAs<P> = P extends Parameter<infer _Value, infer Given> ? Given : never;

/** What a playbook writes: optional ones may be left out. */
export type GivenParameters<L extends ParameterList> = {
  readonly [Name in Exclude<keyof L, OptionalNames<L>>]: GivenAs<L[Name]>;
} & { readonly [Name in OptionalNames<L>]?: GivenAs<L[Name]> | null };

const TEXT_CHARS_MAX = 4096;
// oxlint-disable-next-line no-control-regex -- who reads a command before it runs has to see all of it
const CONTROL = /[\u0000-\u001F\u007F-\u009F]/;

export function text(about: string, charsMax: number = TEXT_CHARS_MAX): Parameter<string, string, false> {
  return {
    shape: `text of at most ${charsMax} characters`,
    type: 'string',
    about,
    isOptional: false,
    read(value) {
      if (typeof value !== 'string' || value.trim() === '') return { problem: 'has to be a text that is not empty' };
      if (value.length > charsMax) return { problem: `is longer than ${charsMax} characters` };
      return value.includes('\0') ? { problem: 'holds a NUL character' } : { value };
    },
  };
}

/** What a file holds: any text, which may be empty. */
export function content(about: string, charsMax: number): Parameter<string, string, false> {
  return {
    shape: `text of at most ${charsMax} characters, or nothing`,
    type: 'string',
    about,
    isOptional: false,
    read: (value) =>
      typeof value !== 'string' || value.length > charsMax || value.includes('\0')
        ? { problem: `has to be a text of at most ${charsMax} characters` }
        : { value },
  };
}

/** One line, which may be empty. */
export function line(about: string, charsMax: number = TEXT_CHARS_MAX): Parameter<string, string, false> {
  return {
    shape: `one line of at most ${charsMax} characters, or nothing`,
    type: 'string',
    about,
    isOptional: false,
    read: (value) =>
      typeof value !== 'string' || value.length > charsMax || /[\0\n\r]/.test(value)
        ? { problem: 'has to be one line of text' }
        : { value },
  };
}

export function whole(about: string, min: number, max: number): Parameter<number, number, false> {
  return {
    shape: `whole number from ${min} to ${max}`,
    type: 'number',
    about,
    isOptional: false,
    read: (value) =>
      typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max
        ? { problem: `has to be a whole number from ${min} to ${max}` }
        : { value },
  };
}

/** False where it is left out. */
export function flag(about: string): Parameter<boolean, boolean, true> {
  return {
    shape: 'true or false',
    type: 'boolean',
    about,
    isOptional: true,
    read(value) {
      if (value === null) return { value: false };
      return typeof value === 'boolean' ? { value } : { problem: 'has to be true or false' };
    },
  };
}

/** Distinct, in the given order. An empty list stays empty: it means none, never all. */
export function texts(about: string, countMax: number): Parameter<readonly string[], readonly string[], false> {
  return {
    shape: `list of at most ${countMax} texts`,
    type: 'readonly string[]',
    about,
    isOptional: false,
    read(value) {
      if (!Array.isArray(value) || !value.every((item) => typeof item === 'string' && item.trim() !== ''))
        return { problem: 'has to be a list of texts' };
      return value.length > countMax ? { problem: `lists more than ${countMax}` } : { value: [...new Set(value as string[])] };
    },
  };
}

/** The words of a command: in order, equal ones too, and empty ones beside the first. */
export function words(about: string, countMax: number): Parameter<readonly string[], readonly string[], false> {
  return {
    shape: `list of 1 to ${countMax} texts`,
    type: 'readonly string[]',
    about,
    isOptional: false,
    read(value) {
      if (!Array.isArray(value) || value.length === 0 || !value.every((item) => typeof item === 'string'))
        return { problem: 'has to be a list of texts that is not empty' };
      if (value.length > countMax) return { problem: `lists more than ${countMax}` };
      const list = value as readonly string[];
      if (list[0]?.trim() === '') return { problem: 'has to begin with a program' };
      return list.some((word) => CONTROL.test(word)) ? { problem: 'holds a control character' } : { value: [...list] };
    },
  };
}

export function choice<const T extends string>(about: string, choices: readonly T[]): Parameter<T, T, false> {
  return {
    shape: `one of ${choices.join(', ')}`,
    type: choices.map((one) => `'${one}'`).join(' | '),
    about,
    isOptional: false,
    read(value) {
      const chosen = choices.find((one) => one === value);
      return chosen === undefined ? { problem: `has to be one of ${choices.join(', ')}` } : { value: chosen };
    },
  };
}

/** Permissions of a file: `0640` or its number. Never writable for everybody. */
export function mode(about: string): Parameter<number, string | number, false> {
  return {
    shape: 'three octal digits, or their number',
    type: 'string | number',
    about,
    isOptional: false,
    read(value) {
      const given = typeof value === 'string' && /^0?[0-7]{3}$/.test(value) ? Number.parseInt(value, 8) : value;
      if (typeof given !== 'number' || !Number.isInteger(given) || given < 0 || given > 0o777)
        return { problem: 'has to be three octal digits' };
      return given & 0o002 ? { problem: 'would let everybody write' } : { value: given };
    },
  };
}

/** Null where it is left out. */
export function optional<Value extends Json, Given extends Json>(
  parameter: Parameter<Value, Given, false>,
): Parameter<Value | null, Given, true> {
  return { ...parameter, isOptional: true, read: (value) => (value === null ? { value } : parameter.read(value)) };
}
