// Holds the audit log's formats against test vectors that others made: see README.md, "Audit log".
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, mkdir, copyFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import canonicalize from 'canonicalize';
import { openExport, wrongTiles } from '../src/adapters/audit-export/index.ts';
import {
  appendLeaf,
  checkConsistencyProof,
  checkInclusionProof,
  checkNote,
  consistencyProof,
  EMPTY_FRONTIER,
  formatConsistencyProof,
  formatInclusionProof,
  formatSignerKey,
  formatVerifierKey,
  frontierRoot,
  inclusionProof,
  leafHash,
  NodeTable,
  parseConsistencyProof,
  parseInclusionProof,
  parseNote,
  parseSignerKey,
  parseVerifierKey,
  signCheckpoint,
  verifyConsistency,
  verifyInclusion,
  verifyLog,
  type FindingKind,
  type Hash,
} from '../src/domains/audit/index.ts';

interface Case {
  readonly id: string;
  readonly expect: 'accept' | 'reject';
  readonly class?: string;
  readonly vkey: string;
  readonly origin?: string;
  readonly checkpoint?: string;
  readonly entries?: string;
  readonly old?: string;
  readonly consistency?: string;
  readonly proofs?: readonly string[];
  readonly tiles?: string;
  readonly witnesses?: readonly string[];
  readonly quorum?: number;
}

/** The vectors' classes, and the words of Grace that mean the same. */
const CLASSES: Readonly<Record<string, readonly (FindingKind | 'proof' | 'quorum')[]>> = {
  ROOT: ['root', 'changed'],
  MISSING: ['removed'],
  SIGNATURE: ['signature', 'unknown_key'],
  ROLLBACK: ['truncated'],
  FORK: ['forked'],
  JCS: ['not_canonical'],
  TORN: ['torn'],
  SEQUENCE: ['removed', 'inserted', 'reordered', 'duplicate', 'shape'],
  EXTRA: ['unsigned'],
  ORIGIN: ['origin'],
  PROOF: ['proof'],
  QUORUM: ['quorum'],
};

const failures: string[] = [];
let checks = 0;
function check(what: string, isFine: boolean): void {
  checks++;
  if (!isFine) failures.push(what);
}

const dir = resolve(process.argv[2] ?? '');
const path = (name: string): string => join(dir, name);
const text = (name: string): string => readFileSync(path(name), 'utf8');
const json = (name: string): unknown => JSON.parse(text(name));
const base64 = (value: string | null): Hash => Buffer.from(value ?? '', 'base64');
const toBase64 = (hash: Hash): string => Buffer.from(hash).toString('base64');

if (process.argv.length !== 3 || !existsSync(path('cases.json'))) {
  console.error(
    `usage: node bench/audit-vectors.ts DIR\n\nDIR holds the vectors (cases.json, keys.json …). They are not part of this repository; ${dir} has none.`,
  );
  process.exitCode = 2;
} else {
  keys();
  await tree();
  thirdParty();
  for (const one of json('cases.json') as readonly Case[]) await runCase(one);
  for (const failure of failures) console.log(`FAIL ${failure}`);
  console.log(`${checks - failures.length} of ${checks} checks pass`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}

function keys(): void {
  const all = json('keys.json') as Record<string, { vkey: string; skey?: string; seed_hex: string }>;
  for (const [name, { vkey, skey }] of Object.entries(all)) {
    check(`${name}: vkey`, formatVerifierKey(parseVerifierKey(vkey)) === vkey);
    if (skey === undefined) continue;
    const signer = parseSignerKey(skey);
    check(`${name}: skey`, formatSignerKey(signer) === skey && formatVerifierKey(signer.verifier) === vkey);
  }
}

async function tree(): Promise<void> {
  const signer = parseSignerKey((json('keys.json') as { log: { skey: string } }).log.skey);
  const all = json('seven/tree.json') as Record<string, unknown>;
  const inclusion = all['inclusion_b64_by_index_size'] as Record<string, readonly string[]>;
  const consistency = Object.entries(all).find(([name]) => name.startsWith('consistency'))?.[1] as Record<string, readonly string[]>;
  const table = new NodeTable();
  let frontier = EMPTY_FRONTIER;
  const lines = text('seven/entries.jsonl').split('\n').slice(0, -1);
  for (const line of ['', ...lines]) {
    if (line !== '') {
      const leaf = leafHash(Buffer.from(line));
      ({ frontier } = appendLeaf(frontier, leaf));
      table.append(leaf);
    }
    const { size } = frontier;
    const head = signCheckpoint({ origin: signer.verifier.name, size, root: frontierRoot(frontier) }, [signer]);
    check(`seven: checkpoint ${size}`, head === text(`seven/checkpoint-${size}`));
  }
  const at = (level: number, index: number): Hash | null => table.node(level, index);
  const compare = async (name: string, proof: Promise<readonly Hash[]>, expected: readonly string[]): Promise<void> =>
    check(name, JSON.stringify((await proof).map(toBase64)) === JSON.stringify(expected));
  const pairs = (list: Record<string, readonly string[]>) =>
    Object.entries(list).map(([key, hashes]) => [...(key.split('/').map(Number) as [number, number]), hashes] as const);
  await Promise.all([
    ...pairs(inclusion).map(([i, n, hashes]) => compare(`seven: inclusion ${i}/${n}`, inclusionProof(i, n, at), hashes)),
    ...pairs(consistency).map(([a, b, hashes]) => compare(`seven: consistency ${a}/${b}`, consistencyProof(a, b, at), hashes)),
  ]);
}

interface Probe {
  readonly file: string;
  readonly wantErr: boolean;
  readonly proof: readonly string[] | null;
  readonly [name: string]: unknown;
}

function thirdParty(): void {
  for (const p of json('third-party/rfc6962-proofs/inclusion.json') as readonly (Probe & { leafHash: string; root: string })[])
    check(
      p.file,
      verifyInclusion(base64(p.leafHash), Number(p['leafIdx']), Number(p['treeSize']), (p.proof ?? []).map(base64), base64(p.root)) ===
        !p.wantErr,
    );
  for (const p of json('third-party/rfc6962-proofs/consistency.json') as readonly (Probe & { root1: string; root2: string })[])
    check(
      p.file,
      verifyConsistency(
        { size: Number(p['size1']), root: base64(p.root1) },
        { size: Number(p['size2']), root: base64(p.root2) },
        (p.proof ?? []).map(base64),
      ) === !p.wantErr,
    );
  const reference = json('third-party/rfc6962-proofs/reference-tree.json') as { leaf_inputs_hex: string[]; root_hex_by_size: string[] };
  let frontier = EMPTY_FRONTIER;
  reference.root_hex_by_size.forEach((root, size) => {
    check(`reference tree: root of ${size}`, Buffer.from(frontierRoot(frontier)).toString('hex') === root);
    const input = reference.leaf_inputs_hex[size];
    if (input !== undefined) ({ frontier } = appendLeaf(frontier, leafHash(Buffer.from(input, 'hex'))));
  });
  for (const name of ['arrays', 'french', 'structures', 'unicode', 'values', 'weird'])
    check(
      `jcs: ${name}`,
      canonicalize(json(`third-party/jcs/input/${name}.json`)) === text(`third-party/jcs/output/${name}.json`).trimEnd(),
    );
  const written = text('jcs/entries.jsonl').split('\n');
  text('jcs/input.jsonl')
    .split('\n')
    .forEach((line, i) => {
      if (line !== '') check(`jcs: line ${i}`, canonicalize(JSON.parse(line)) === written[i]);
    });
}

async function runCase(one: Case): Promise<void> {
  const found = await findingsOf(one);
  if (one.expect === 'accept') return check(`${one.id}: ${found.join(', ')}`, found.length === 0);
  const wanted = CLASSES[one.class ?? ''];
  const isRight = wanted === undefined ? found.length > 0 : found.some((kind) => wanted.includes(kind));
  check(`${one.id}: expected ${one.class}, found ${found.join(', ') || 'nothing'}`, isRight);
}

async function findingsOf(one: Case): Promise<readonly (FindingKind | 'proof' | 'quorum')[]> {
  const key = parseVerifierKey(one.vkey);
  const found: (FindingKind | 'proof' | 'quorum')[] = [];
  if (one.entries !== undefined || one.tiles !== undefined) {
    const work = await mkdtemp(join(tmpdir(), 'grace-vectors-'));
    try {
      const log = one.tiles === undefined ? join(work, 'log') : path(one.tiles);
      if (one.entries !== undefined) {
        await mkdir(log);
        await symlink(path(one.entries), join(log, 'entries.jsonl'));
        if (one.checkpoint !== undefined) await copyFile(path(one.checkpoint), join(log, 'checkpoint'));
      }
      const reader = await openExport(log);
      const anchors = one.old === undefined ? [] : [text(one.old)];
      const { findings } = await verifyLog(reader, { key, head: await reader.latestCheckpoint(), anchors });
      found.push(...findings.map((finding) => finding.kind));
      if (one.tiles !== undefined && (await wrongTiles(reader, log, 1)).length > 0) found.push('changed');
    } finally {
      await rm(work, { recursive: true });
    }
  }
  if (one.consistency !== undefined && one.old !== undefined) {
    const proof = parseConsistencyProof(text(one.consistency));
    if (formatConsistencyProof(proof) !== text(one.consistency)) found.push('proof');
    if (checkConsistencyProof(proof, text(one.old), key).state === 'fails') found.push('proof');
  }
  const lines = one.entries === undefined ? [] : text(one.entries).split('\n');
  for (const file of one.proofs ?? []) {
    const proof = parseInclusionProof(text(file));
    if (formatInclusionProof(proof) !== text(file)) found.push('proof');
    if (checkInclusionProof(proof, Buffer.from(lines[proof.index] ?? ''), key).state === 'fails') found.push('proof');
  }
  if (one.witnesses !== undefined && one.checkpoint !== undefined) {
    const check = checkNote(parseNote(text(one.checkpoint)), one.witnesses.map(parseVerifierKey));
    if (check.state !== 'signed' || check.by.length < (one.quorum ?? 0)) found.push('quorum');
  }
  return found;
}
