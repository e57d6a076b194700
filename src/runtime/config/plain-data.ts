import type { Mistakes } from './mistakes.ts';

/** Deeper settings do not exist; the limit keeps hostile nesting from exhausting the stack. */
const DEPTH_MAX = 24;
/** These would reach into JavaScript itself rather than name anything. */
const RESERVED = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * A copy of what a config file holds that is nothing but data: no functions, getters, cycles, `undefined` or
 * names that JavaScript keeps for itself. What had to be left out is added to the mistakes.
 */
export function toPlainData(value: unknown, mistakes: Mistakes): unknown {
  return copy(value, [], new Set(), mistakes);
}

function copy(value: unknown, path: readonly PropertyKey[], above: Set<object>, mistakes: Mistakes): unknown {
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint')
    return refuse(path, `must be plain data, not a ${typeof value}`, mistakes);
  if (typeof value !== 'object' || value === null) return value;
  if (path.length >= DEPTH_MAX) return refuse(path, `is nested more than ${DEPTH_MAX} levels deep`, mistakes);
  if (above.has(value)) return refuse(path, 'contains itself', mistakes);
  above.add(value);
  try {
    if (Array.isArray(value)) return Array.from(value, (item, index) => copy(item, [...path, index], above, mistakes));
    if (!isPlainObject(value)) return refuse(path, `must be plain data, not a ${value.constructor?.name ?? 'special object'}`, mistakes);
    const entries: [string, unknown][] = [];
    for (const key of Object.keys(value)) {
      if (RESERVED.has(key)) refuse([...path, key], 'is a name that JavaScript keeps for itself', mistakes);
      else {
        const item = copy((value as Record<string, unknown>)[key], [...path, key], above, mistakes);
        if (item !== undefined) entries.push([key, item]);
      }
    }
    return Object.fromEntries(entries);
  } catch {
    // a getter or proxy that throws: whatever it meant, it is no data
    return refuse(path, 'must be plain data; reading it failed', mistakes);
  } finally {
    above.delete(value);
  }
}

function refuse(path: readonly PropertyKey[], problem: string, mistakes: Mistakes): undefined {
  mistakes.at(path, problem, null, 'key');
}

/** Also true for objects of another realm, such as those of a module namespace. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
