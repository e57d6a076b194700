import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { fileIdentity, type FileRecord } from './file-record.ts';
import { isMalformed } from './malformed.ts';
import { LEAF, moduleFacts, type ModuleFacts } from './module-facts.ts';
import { skimmedFacts } from './skimmed-facts.ts';
import { isPackaged, ModuleFolders } from './module-folders.ts';
import type { NodeTraits } from './node-traits.ts';
import { ModuleResolver, type Resolution } from './resolve-module.ts';
import type { ServiceEntry } from './service-entry.ts';

/** A service of this size is many; beyond it nothing is looked at. */
const MODULES_MAX = 20_000;
/** Larger ones are data, or everything in one file. */
const FILE_BYTES_MAX = 8 * 1024 * 1024;
const BYTES_MAX = 256 * 1024 * 1024;

export interface GraphModule {
  readonly file: string;
  readonly facts: ModuleFacts;
  /** Of each request. */
  readonly leadsTo: readonly Resolution[];
}

export interface BuiltGraph {
  readonly entries: readonly string[];
  readonly modules: Map<string, GraphModule>;
  readonly records: Map<string, FileRecord>;
  readonly folders: ModuleFolders;
  readonly resolver: ModuleResolver;
  readonly isCut: boolean;
}

/** Follows every import from the entries. @returns null where an entry is not there: Grace's first stage says so */
export function buildGraph(
  entry: ServiceEntry,
  node: NodeTraits,
  before: ReadonlyMap<string, FileRecord>,
  resolveImport: (specifier: string, parent: string) => string,
): BuiltGraph | null {
  const folders = new ModuleFolders();
  const resolver = new ModuleResolver(entry, folders, node, resolveImport);
  const entries: string[] = [];
  const from = `${entry.cwd}/[entry]`;
  for (const { specifier, how } of entry.modules) {
    let to = resolver.resolve(specifier, how === 'import' ? 'import' : 'require', from);
    // Node takes the main module as require does, and then as import does.
    if (to.state === 'missing' && how === 'main') to = resolver.resolve(pathToFileURL(specifier).href, 'import', from);
    if (to.state === 'file') entries.push(to.file);
    else if (how === 'main') return null;
  }
  const modules = new Map<string, GraphModule>();
  const records = new Map<string, FileRecord>();
  const queue = [...entries];
  const seen = new Set(queue);
  let bytes = 0;
  let isCut = false;
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    if (modules.size >= MODULES_MAX || bytes > BYTES_MAX) {
      isCut = true;
      break;
    }
    const record = readModule(file, entry, node, folders, before.get(file));
    if (record === null) continue;
    bytes += record.bytes;
    records.set(file, record);
    const leadsTo: Resolution[] = [];
    for (const request of record.facts.requests) {
      const to = resolver.resolve(request.specifier, request.how, file);
      leadsTo.push(to);
      if (to.state !== 'file' || request.how === 'ask' || seen.has(to.file)) continue;
      seen.add(to.file);
      queue.push(to.file);
    }
    modules.set(file, { file, facts: record.facts, leadsTo });
  }
  return { entries, modules, records, folders, resolver, isCut };
}

/** A module with its tree read, where it was only skimmed. */
export function readFully(file: string, graph: BuiltGraph, entry: ServiceEntry, node: NodeTraits): GraphModule | null {
  const known = graph.modules.get(file);
  const record = graph.records.get(file);
  if (known === undefined || record === undefined || !known.facts.isSkimmed) return known ?? null;
  const kind = graph.folders.kindOf(file, entry.loader, node);
  if (kind === null) return known;
  let facts: ModuleFacts;
  try {
    facts = moduleFacts(readFileSync(file, 'utf8'), kind);
  } catch {
    return null; // gone meanwhile
  }
  const leadsTo = facts.requests.map(({ specifier, how }) => graph.resolver.resolve(specifier, how, file));
  const full = { file, facts, leadsTo };
  graph.modules.set(file, full);
  graph.records.set(file, { ...record, facts });
  return full;
}

function readModule(
  file: string,
  entry: ServiceEntry,
  node: NodeTraits,
  folders: ModuleFolders,
  before: FileRecord | undefined,
): (FileRecord & { readonly bytes: number }) | null {
  const identity = fileIdentity(file);
  if (identity === null) return null;
  const kind = folders.kindOf(file, entry.loader, node);
  const kindText = kind === null ? 'leaf' : `${kind.format} ${kind.isTypeScript} ${kind.isElided}`;
  if (before !== undefined && before.identity === identity && before.kind === kindText) return { ...before, bytes: 0 };
  const size = Number(identity.slice(0, identity.indexOf(' ')));
  if (size > FILE_BYTES_MAX || file.endsWith('.node'))
    return { identity, digest: identity, kind: kindText, facts: { ...LEAF, isUnread: true }, isMalformed: false, bytes: 0 };
  try {
    const text = readFileSync(file, 'utf8');
    const digest = hash('sha1', text, 'base64url');
    if (before?.digest === digest && before.kind === kindText) return { ...before, identity, bytes: 0 };
    if (kind === null) return { identity, digest, kind: kindText, facts: LEAF, isMalformed: false, bytes: text.length };
    const facts = skimmedFacts(text, kind);
    // Types that cannot be taken out leave nothing to read.
    // A package that was published has run: it is malformed where it was cut off or overwritten, in the middle of a line.
    const isWhole = isPackaged(file) && text.endsWith('\n');
    const isWrong = entry.loader === 'node' && !isWhole && (kind.isTypeScript ? facts.isUnread : isMalformed(text, kind));
    return { identity, digest, kind: kindText, facts, isMalformed: isWrong, bytes: text.length };
  } catch {
    return null; // gone meanwhile, or not ours to read
  }
}
