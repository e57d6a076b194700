import { readFile } from 'node:fs/promises';
import type { PolicyFile } from './policy-text.ts';

/** What ships with Grace, in the order in which people are told of it. */
const FILES = ['tiers.cedar', 'limits.cedar', 'modes.cedar', 'people.cedar'] as const;

/** In the catalog where Grace runs from its source, beside the chunks where it was bundled. */
const FOLDER = new URL(import.meta.url.endsWith('.ts') ? '../../catalog/policies/' : '../policies/', import.meta.url);

/** The policies that ship with Grace, and the schema that every policy is checked against. */
export async function shippedPolicies(): Promise<{ readonly schema: string; readonly files: readonly PolicyFile[] }> {
  const read = (name: string): Promise<string> => readFile(new URL(name, FOLDER), 'utf8');
  const [schema, ...texts] = await Promise.all(['grace.cedarschema', ...FILES].map(read));
  return { schema: schema ?? '', files: FILES.map((name, i) => ({ name, text: texts[i] ?? '' })) };
}
