import { join } from 'node:path';
import { messageOf } from '../../kernel/index.ts';
import type { DatabasePlace, ItemComparison, SnapshotPorts } from './ports.ts';
import { databaseOfPart } from './sqlite-parts.ts';
import { labelOf, newParts, proofDifference, type ItemTraits, type LeftOut, type Snapshot, type SnapshotItem } from './snapshot.ts';

/** Looks at what is there now in the place of an item. Never throws, except when the signal says so. */
export async function compareItem(
  ports: SnapshotPorts,
  snapshot: Snapshot,
  item: SnapshotItem,
  signal: AbortSignal,
): Promise<ItemComparison> {
  try {
    const [state, how] = await differenceOf(ports, snapshot, item, signal);
    return { item, state, how };
  } catch (error) {
    signal.throwIfAborted();
    return { item, state: 'unknown', how: messageOf(error) };
  }
}

type Difference = readonly [ItemComparison['state'], string];
const SAME: Difference = ['same', ''];

async function differenceOf(ports: SnapshotPorts, snapshot: Snapshot, item: SnapshotItem, signal: AbortSignal): Promise<Difference> {
  const { files, objects, databases } = ports;
  if (item.kind === 'postgres') {
    const now = await databases.proof(placeOf(item, snapshot), signal);
    return differs(proofDifference(item.proof, now));
  }
  const stat = await files.stat(item.path);
  if (item.kind === 'absent') return stat === null ? SAME : ['new', `a ${stat.kind} is there now, nothing was`];
  if (stat === null) return ['missing', 'it is gone'];
  const kind = item.kind === 'sqlite' ? 'file' : item.kind;
  if (stat.kind !== kind) return ['differs', `it is a ${stat.kind} now, it was a ${kind}`];
  switch (item.kind) {
    case 'symlink': {
      const target = await files.readLink(item.path);
      return target === item.target ? SAME : ['differs', `it leads to ${target ?? 'nothing'} now, it led to ${item.target}`];
    }
    case 'directory':
      return differs(traitDifference(item, stat));
    case 'file': {
      const isSame = stat.sizeBytes === item.sizeBytes && (await objects.digestOf(item.path, signal)) === item.digest;
      if (isSame) return differs(traitDifference(item, stat));
      return [
        'differs',
        stat.sizeBytes === item.sizeBytes ? 'its content is another' : `it has ${stat.sizeBytes} bytes, had ${item.sizeBytes}`,
      ];
    }
    case 'sqlite':
      return differs(proofDifference(item.proof, await databases.proof(placeOf(item, snapshot), signal)));
  }
}

function differs(how: string | null): Difference {
  return how === null ? SAME : ['differs', how];
}

function traitDifference(item: ItemTraits, now: ItemTraits): string | null {
  if (now.uid !== item.uid || now.gid !== item.gid) return `it belongs to ${now.uid}:${now.gid}, belonged to ${item.uid}:${item.gid}`;
  return now.mode === item.mode ? null : `it has mode ${now.mode.toString(8)}, had ${item.mode.toString(8)}`;
}

/** What was made since within directories and databases of the snapshot: a restore never removes it. */
export async function madeSince(
  ports: SnapshotPorts,
  snapshot: Snapshot,
  items: readonly SnapshotItem[],
  signal: AbortSignal,
): Promise<readonly LeftOut[]> {
  const known = new Set([...snapshot.items.map(labelOf), ...snapshot.leftOut.map(({ what }) => what)]);
  const found: LeftOut[] = [];
  for (const item of items) {
    signal.throwIfAborted();
    if (found.length >= NEW_TOLD_MAX) break;
    if (item.kind === 'directory') {
      for (const name of await ports.files.list(item.path)) {
        const path = join(item.path, name);
        const isPart = known.has(databaseOfPart(path) ?? path) || ports.ownDirs.includes(path);
        if (!isPart) found.push({ what: path, why: 'it was made since, and is left there' });
      }
    } else if (item.kind === 'sqlite' || item.kind === 'postgres') {
      for (const part of newParts(item.proof, await ports.databases.proof(placeOf(item, snapshot), signal)))
        found.push({ what: `${labelOf(item)}, ${part}`, why: 'it was made since, and is left there' });
    }
  }
  return found.slice(0, NEW_TOLD_MAX);
}

const NEW_TOLD_MAX = 100;

/** Where a database of a snapshot is; of PostgreSQL the component's present configuration knows how to get in. */
export function placeOf(item: Extract<SnapshotItem, { kind: 'sqlite' | 'postgres' }>, snapshot: Snapshot): DatabasePlace {
  if (item.kind === 'sqlite') return { engine: 'sqlite', path: item.path };
  return { engine: 'postgres', name: item.name, component: snapshot.component };
}
