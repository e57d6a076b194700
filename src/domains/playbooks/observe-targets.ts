import { isAbsolute } from 'node:path';
import { createDigest, type FileStat, type Json } from '../../kernel/index.ts';
import type { Primitive, PrimitiveContext } from './primitive.ts';

/** Of a larger file only the ends are read: what Grace changes in it is found by its size, its time or there. */
const WHOLE_BYTES_MAX = 8 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;
/** Names of a directory that are compared. */
const NAMES_MAX = 2000;

/** What a step would change, so that its undo can be verified: as its primitive says, else the traits of the paths it acts on. */
export async function observeTargets(primitive: Primitive, targets: readonly string[], context: PrimitiveContext): Promise<Json> {
  if (primitive.observe !== undefined) return primitive.observe(targets, context);
  const traits: Record<string, Json> = {};
  for (const path of targets.filter((t) => isAbsolute(t))) traits[path] = await traitsOf(path, context);
  return traits;
}

/** Null when nothing is there. No times: what is put back is younger than what it was. */
async function traitsOf(path: string, context: PrimitiveContext): Promise<Json> {
  const { files } = context;
  const stat = await files.stat(path);
  if (stat === null) return null;
  const traits = { kind: stat.kind, mode: stat.mode, uid: stat.uid, gid: stat.gid };
  switch (stat.kind) {
    case 'file':
      return { ...traits, bytes: stat.sizeBytes, digest: await contentOf(path, stat, context) };
    case 'symlink':
      return { kind: stat.kind, to: await files.readLink(path) };
    case 'directory':
      return { ...traits, names: context.digest((await files.list(path)).slice(0, NAMES_MAX).join('\0')) };
    case 'socket':
    case 'other':
      return traits;
  }
}

async function contentOf(path: string, { sizeBytes }: FileStat, context: PrimitiveContext): Promise<string> {
  const digest = createDigest();
  const add = async (from: number, bytes: number): Promise<void> => {
    const piece = await context.files.readRange(path, from, bytes);
    if (piece !== null) digest.add(piece);
  };
  if (sizeBytes <= WHOLE_BYTES_MAX) for (let at = 0; at < sizeBytes; at += PIECE_BYTES) await add(at, PIECE_BYTES);
  else {
    await add(0, PIECE_BYTES);
    await add(sizeBytes - PIECE_BYTES, PIECE_BYTES);
  }
  return context.digest(digest.hex());
}

/** What is different from before, in words; empty when all is as it was. */
export function differencesOf(before: Json, now: Json): readonly string[] {
  if (JSON.stringify(before) === JSON.stringify(now)) return [];
  if (!isObject(before) || !isObject(now)) return ['it is not as it was'];
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]))
    .map((name) => `${name} is not as it was`);
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
