import { hash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname } from 'node:path';
import type { ImportGraph } from '../../domains/preflight/index.ts';
import { fileIdentity, type FileRecord } from './file-record.ts';
import type { NodeTraits } from './node-traits.ts';
import type { ServiceEntry } from './service-entry.ts';

/** Raised with each change of what is found or kept: what an older one remembered is then forgotten. */
const VERSION = 6;
const BYTES_MAX = 32 * 1024 * 1024;
const SERVICES_MAX = 8;

/** What the thread is given. */
export interface GraphOrder {
  readonly entry: ServiceEntry;
  readonly node: NodeTraits;
  readonly env: Readonly<Record<string, string>>;
  readonly records: readonly (readonly [string, FileRecord])[];
}

/** What the thread found, and everything on the disk that it depends on. */
export interface GraphAnswer {
  readonly graph: ImportGraph;
  readonly records: readonly (readonly [string, FileRecord])[];
  readonly files: readonly string[];
  /** Folders whose package.json was read, or was not there. */
  readonly folders: readonly string[];
  /** Folders where something was missed: a new name in one of them may be it. */
  readonly listed: readonly string[];
}

/** One service, as it was last looked at. */
export interface Remembered {
  readonly key: string;
  readonly graph: ImportGraph;
  readonly records: readonly (readonly [string, FileRecord])[];
  readonly files: readonly (readonly [string, string | null])[];
  readonly listed: readonly (readonly [string, string])[];
}

/** A Node that was asked, by its file. */
export interface KnownNode {
  readonly file: string;
  readonly identity: string;
  readonly traits: NodeTraits;
}

export interface GraphMemory {
  readonly version: number;
  readonly nodes: readonly KnownNode[];
  readonly services: readonly Remembered[];
}

const EMPTY: GraphMemory = { version: VERSION, nodes: [], services: [] };

/** @returns an empty one where there is none, it is damaged, or an older Grace wrote it */
export function readMemory(file: string): GraphMemory {
  try {
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? Infinity) > BYTES_MAX) return EMPTY;
    const memory = JSON.parse(readFileSync(file, 'utf8')) as GraphMemory;
    return memory.version === VERSION && Array.isArray(memory.nodes) && Array.isArray(memory.services) ? memory : EMPTY;
  } catch {
    return EMPTY;
  }
}

/** One that has grown too large is not kept; it would save nobody time. */
export function writeMemory(file: string, memory: GraphMemory): void {
  const text = JSON.stringify({
    version: VERSION,
    nodes: memory.nodes.slice(-SERVICES_MAX),
    services: memory.services.slice(-SERVICES_MAX),
  });
  if (text.length > BYTES_MAX) return;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const beside = `${file}.${process.pid}`;
    writeFileSync(beside, text, { mode: 0o600 });
    renameSync(beside, file);
  } catch {
    // a full or read-only disk: the next boot looks anew
  }
}

export function remembered(key: string, answer: GraphAnswer): Remembered {
  const packageFiles = answer.folders.map((dir) => `${dir}/package.json`);
  return {
    key,
    graph: answer.graph,
    records: answer.records,
    files: [...new Set([...answer.files, ...packageFiles])].map((file) => [file, fileIdentity(file)] as const),
    listed: [...new Set([...answer.listed, ...ownFolders(answer)])].map((dir) => [dir, namesDigest(dir)] as const),
  };
}

/** In the project's own folders a new file can take the place of another. */
function ownFolders({ records }: GraphAnswer): readonly string[] {
  return records.map(([file]) => dirname(file)).filter((dir) => !dir.includes('/node_modules/'));
}

/** Nothing that an answer depends on has changed since. */
export function isUnchanged({ records, files, listed }: Remembered): boolean {
  return (
    files.every(([file, identity]) => fileIdentity(file) === identity) &&
    records.every(([file, { identity }]) => fileIdentity(file) === identity) &&
    listed.every(([dir, digest]) => namesDigest(dir) === digest)
  );
}

/** Of the names that can be modules: logs and data that come and go beside them change nothing. */
function namesDigest(dir: string): string {
  try {
    const names = readdirSync(dir).filter((name) => /^(?:|\.(?:[cm]?[jt]sx?|json|node|wasm))$/.test(extname(name)));
    return hash('sha1', names.toSorted().join('\0'), 'base64url');
  } catch {
    return '';
  }
}
