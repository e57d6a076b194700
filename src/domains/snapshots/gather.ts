import { basename, join } from 'node:path';
import { messageOf, type FileStat } from '../../kernel/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { DatabasePlace, SnapshotPorts } from './ports.ts';
import type { LeftOut, SnapshotItem } from './snapshot.ts';
import { databaseOfPart, partBeside } from './sqlite-parts.ts';

/** A larger file is data that a fix of Grace does not edit, and would make every snapshot long. */
export const FILE_BYTES_MAX = 64 * 1024 * 1024;
/** Of all plain files in one snapshot. */
export const FILES_BYTES_MAX = 512 * 1024 * 1024;
export const ENTRIES_MAX = 10_000;
const DEPTH_MAX = 32;

/** Passed over unless they are asked for by name. */
const REBUILT: ReadonlySet<string> = new Set(['node_modules', '.git', '__pycache__', '.venv', 'venv']);

/** What a snapshot is going to hold, looked at and not read yet. */
export interface Gathered {
  /** Complete as they are. */
  readonly items: readonly Extract<SnapshotItem, { kind: 'directory' | 'symlink' | 'absent' }>[];
  readonly files: readonly { readonly path: string; readonly stat: FileStat }[];
  readonly databases: readonly { readonly place: DatabasePlace; readonly stat: FileStat | null; readonly sizeBytes: number }[];
  readonly leftOut: readonly LeftOut[];
}

export interface Wanted {
  readonly paths: readonly string[];
  /** Those of a restore: what is not there any more is part of what it changes. */
  readonly places: readonly DatabasePlace[];
}

/** Walks what is asked for. Sockets, devices and Grace's own directories are passed over. */
export async function gather(ports: SnapshotPorts, component: ComponentSpec, wanted: Wanted, signal: AbortSignal): Promise<Gathered> {
  const walk = new Walk(ports, component, signal);
  for (const path of wanted.paths) await walk.add(path);
  for (const place of wanted.places) await walk.addDatabase(place);
  return walk.found();
}

class Walk {
  private readonly ports: SnapshotPorts;
  private readonly component: ComponentSpec;
  private readonly signal: AbortSignal;
  private readonly items: Gathered['items'][number][] = [];
  private readonly files: Gathered['files'][number][] = [];
  private readonly databases: Gathered['databases'][number][] = [];
  private readonly leftOut: LeftOut[] = [];
  private readonly seen = new Set<string>();
  private bytes = 0;

  constructor(ports: SnapshotPorts, component: ComponentSpec, signal: AbortSignal) {
    this.ports = ports;
    this.component = component;
    this.signal = signal;
  }

  async add(path: string): Promise<void> {
    try {
      const at = await this.ports.confine(path, this.component);
      if ((await this.ports.files.stat(at)) === null && !this.seen.has(at)) {
        // A log that is not there now may belong to a database by the time of a restore: nobody may remove it then.
        if (databaseOfPart(at) !== null) return;
        this.seen.add(at);
        this.items.push({ kind: 'absent', path: at });
      } else await this.visit(at, 0);
    } catch (error) {
      this.signal.throwIfAborted();
      this.leave(path, messageOf(error));
    }
  }

  async addDatabase(place: DatabasePlace): Promise<void> {
    const label = place.engine === 'sqlite' ? place.path : place.name;
    if (this.seen.has(`database ${label}`)) return;
    this.seen.add(`database ${label}`);
    try {
      if (place.engine === 'sqlite') await this.addSqlite(place.path);
      else await this.addWithin(place, label, null);
    } catch (error) {
      this.signal.throwIfAborted();
      this.leave(label, messageOf(error));
    }
  }

  /** Behind a link, what it leads to: that is what is written to. */
  private async addSqlite(path: string): Promise<void> {
    const { files, confine } = this.ports;
    const at = (await files.realpath(path)) ?? path;
    await confine(at, this.component);
    const stat = await files.stat(at);
    const isKnown = this.seen.has(at);
    this.seen.add(at);
    if (stat === null) {
      if (!isKnown) this.items.push({ kind: 'absent', path: at });
    } else await this.addWithin({ engine: 'sqlite', path: at }, at, stat);
  }

  private async addWithin(place: DatabasePlace, label: string, stat: FileStat | null): Promise<void> {
    const { databases, limits } = this.ports;
    const sizeBytes = await databases.sizeBytes(place, this.signal);
    if (sizeBytes > limits.databaseBytesMax)
      this.leave(label, `it is larger than healing.snapshots.databaseMbMax (${Math.ceil(sizeBytes / 1_048_576)} MiB)`);
    else if (!this.databases.some((known) => known.stat !== null && known.place.engine === 'sqlite' && known.place.path === label))
      this.databases.push({ place, stat, sizeBytes });
  }

  found(): Gathered {
    return { items: this.items, files: this.files, databases: this.databases, leftOut: this.leftOut };
  }

  private async visit(path: string, depth: number): Promise<void> {
    this.signal.throwIfAborted();
    if (this.seen.has(path) || this.ports.ownDirs.some((dir) => path === dir || path.startsWith(`${dir}/`))) return;
    this.seen.add(path);
    if (this.seen.size > ENTRIES_MAX) return this.leave(path, `there are more than ${ENTRIES_MAX} entries`);
    const { files } = this.ports;
    const stat = await files.stat(path);
    if (stat === null) return;
    const { mode, uid, gid, mtimeMs } = stat;
    switch (stat.kind) {
      case 'symlink':
        this.items.push({ kind: 'symlink', path, target: (await files.readLink(path)) ?? '' });
        return;
      case 'directory':
        if (depth > 0 && REBUILT.has(basename(path))) return this.leave(path, 'tools make it anew');
        this.items.push({ kind: 'directory', path, mode, uid, gid, mtimeMs });
        if (depth >= DEPTH_MAX) return this.leave(path, `it lies more than ${DEPTH_MAX} directories deep`);
        for (const name of await files.list(path)) await this.visitWithin(join(path, name), depth + 1);
        return;
      case 'file':
        if (await this.isOfDatabase(path)) return;
        if (stat.sizeBytes > FILE_BYTES_MAX) return this.leave(path, `it is larger than ${FILE_BYTES_MAX / 1_048_576} MiB`);
        if (this.bytes + stat.sizeBytes > FILES_BYTES_MAX)
          return this.leave(path, `the files before it have ${FILES_BYTES_MAX / 1_048_576} MiB already`);
        this.bytes += stat.sizeBytes;
        this.files.push({ path, stat });
        return;
      case 'socket':
      case 'other':
        return;
    }
  }

  /** A database and what SQLite keeps beside it are one item, copied by SQLite, or none: their files alone are worth nothing. */
  private async isOfDatabase(path: string): Promise<boolean> {
    const { files, databases, limits } = this.ports;
    const database = databaseOfPart(path) ?? path;
    if (await databases.isSqlite(database)) {
      if (limits.databases === 'never') this.leave(database, 'healing.snapshots.databases is never');
      else {
        await this.ports.confine(database, this.component);
        await this.addDatabase({ engine: 'sqlite', path: database });
      }
      return true;
    }
    const part = database === path ? await partBeside(files, path) : path;
    if (part === null) return false;
    this.leave(
      path,
      `${part} is a log or a journal of a SQLite database that cannot be read: without SQLite no copy of both is of one moment`,
    );
    return true;
  }

  private async visitWithin(path: string, depth: number): Promise<void> {
    try {
      await this.visit(path, depth);
    } catch (error) {
      this.signal.throwIfAborted();
      this.leave(path, messageOf(error));
    }
  }

  /** A million entries that do not fit are one line each only up to a point. */
  private leave(what: string, why: string): void {
    if (this.leftOut.length < LEFT_OUT_MAX) this.leftOut.push({ what, why });
    else if (this.leftOut.length === LEFT_OUT_MAX) this.leftOut.push({ what: basename(what), why: 'and more' });
  }
}

const LEFT_OUT_MAX = 200;
