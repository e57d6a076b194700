import type { JsonObject } from '../kernel/index.ts';
import { PrimitiveMisuse } from '../domains/playbooks/index.ts';

/** Reads the parameters of a step; a wrong one is named, and one that nobody knows is a typing mistake. */
export class Parameters {
  private readonly primitive: string;
  private readonly values: JsonObject;

  constructor(primitive: string, values: JsonObject, known: readonly string[]) {
    this.primitive = primitive;
    this.values = values;
    const unknown = Object.keys(values).filter((name) => !known.includes(name));
    if (unknown.length > 0)
      this.wrong(`there is no parameter "${unknown.join('", "')}"; it takes ${known.length === 0 ? 'none' : known.join(', ')}`);
  }

  text(name: string, charsMax = 4096): string {
    const value = this.values[name];
    if (typeof value !== 'string' || value.trim() === '') return this.wrong(`"${name}" has to be a text that is not empty`);
    if (value.length > charsMax) return this.wrong(`"${name}" is longer than ${charsMax} characters`);
    if (value.includes('\0')) return this.wrong(`"${name}" holds a NUL character`);
    return value;
  }

  textOrNull(name: string): string | null {
    return this.isAbsent(name) ? null : this.text(name);
  }

  whole(name: string, min: number, max: number): number {
    const value = this.values[name];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
      return this.wrong(`"${name}" has to be a whole number from ${min} to ${max}`);
    return value;
  }

  wholeOrNull(name: string, min: number, max: number): number | null {
    return this.isAbsent(name) ? null : this.whole(name, min, max);
  }

  flag(name: string): boolean {
    if (this.isAbsent(name)) return false;
    const value = this.values[name];
    return typeof value === 'boolean' ? value : this.wrong(`"${name}" has to be true or false`);
  }

  /** Distinct, in the given order. An empty list stays empty: it means none, never all. */
  texts(name: string, countMax: number): readonly string[] {
    const value = this.values[name];
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string' && item.trim() !== ''))
      return this.wrong(`"${name}" has to be a list of texts`);
    if (value.length > countMax) return this.wrong(`"${name}" lists more than ${countMax}`);
    return [...new Set(value as string[])];
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T {
    const value = this.values[name];
    return choices.find((choice) => choice === value) ?? this.wrong(`"${name}" has to be one of ${choices.join(', ')}`);
  }

  /** The raw value, for what has a shape of its own. */
  raw(name: string): JsonObject[string] {
    return this.values[name] ?? null;
  }

  isAbsent(name: string): boolean {
    return this.values[name] === undefined || this.values[name] === null;
  }

  wrong(problem: string): never {
    throw new PrimitiveMisuse(this.primitive, problem);
  }
}
