import { join } from 'node:path';
import { codeOf, messageOf, type JsonObject } from '../../kernel/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import { compareItem, madeSince, placeOf } from './compare.ts';
import { SnapshotComponentRuns, SnapshotDamaged, SnapshotNoRoom, SnapshotRefused, SnapshotUnknown } from './errors.ts';
import { gather, type Gathered } from './gather.ts';
import { folderName, isFolderName, readManifest, writeManifest } from './manifest.ts';
import type { ItemComparison, RestoreOptions, RestoreResult, SnapshotPorts, SnapshotRequest, Snapshots } from './ports.ts';
import { expiredSnapshots } from './retention.ts';
import { partBeside, refuseTornDatabases } from './sqlite-parts.ts';
import { isDatabase, labelOf, objectsOf, type LeftOut, type Snapshot, type SnapshotItem } from './snapshot.ts';

/** Left free on the disk, whatever a snapshot needs: a full disk is a failure of its own. */
const ROOM_LEFT_BYTES = 64 * 1024 * 1024;

/**
 * Snapshots as folders: a description in `metadata.json`, why in `anomaly.json`, contents in an object store that all of
 * them share. A folder appears under its name when everything it names is there.
 */
export class SnapshotKeeper implements Snapshots {
  private readonly ports: SnapshotPorts;
  /** What is half done lies here; whoever comes next, under the lock, clears it away. */
  private readonly workDir: string;

  constructor(ports: SnapshotPorts) {
    this.ports = ports;
    this.workDir = join(ports.dir, '.work');
  }

  take(component: ComponentSpec, request: SnapshotRequest, signal: AbortSignal): Promise<Snapshot> {
    return this.atWork(async () => {
      const { limits, databases } = this.ports;
      const withDatabase = limits.databases === 'always' || (limits.databases === 'touched' && request.databases);
      const declared = await this.ports.declaredFiles(component);
      const place = withDatabase ? await databases.locate(component) : null;
      const leftOut = request.databases && !withDatabase ? [{ what: 'database', why: 'healing.snapshots.databases is never' }] : [];
      const wanted = { paths: [...request.paths, ...declared], places: place === null ? [] : [place] };
      const gathered = await gather(this.ports, component, wanted, signal);
      const snapshot = await this.keep(component, request, { ...gathered, leftOut: [...leftOut, ...gathered.leftOut] }, signal);
      await this.pruneNow();
      return snapshot;
    });
  }

  async list(): Promise<readonly Snapshot[]> {
    return (await this.readAll()).snapshots;
  }

  async get(id: string): Promise<Snapshot | null> {
    return (await this.list()).find((snapshot) => snapshot.id === id || snapshot.folder === id) ?? null;
  }

  async compare(id: string, signal: AbortSignal, only?: readonly string[]): Promise<readonly ItemComparison[]> {
    const snapshot = await this.known(id);
    return this.compareAll(snapshot, selected(snapshot, only), signal);
  }

  restore(id: string, signal: AbortSignal, options: RestoreOptions = {}): Promise<RestoreResult> {
    return this.atWork(async () => {
      const { ports } = this;
      const snapshot = await this.known(id);
      const component = ports.component(snapshot.component);
      if (component === null)
        throw new SnapshotRefused(
          `the configuration has no component ${snapshot.component} any more: nobody says which directories are its own`,
          'put the component back into the configuration first',
        );
      const items = selected(snapshot, options.only);
      for (const item of items) if (item.kind !== 'postgres') await ports.confine(item.path, component);
      if (ports.isRunning(component.name) && options.whileRunning !== true) throw new SnapshotComponentRuns(component.name);
      options.progress?.(`comparing ${items.length} items with what is there`);
      const changed = (await this.compareAll(snapshot, items, signal)).filter(({ state }) => state !== 'same');
      if (changed.length === 0)
        return { restored: [], verified: true, left: await madeSince(ports, snapshot, items, signal), before: null };
      await refuseTornDatabases(
        ports,
        snapshot,
        changed.map(({ item }) => item),
      );
      options.progress?.(`checking the copies of ${changed.length} items`);
      const staged = await this.stage(
        changed.map(({ item }) => item),
        signal,
      );
      options.progress?.('keeping what is there now');
      const before = await this.keepBefore(component, snapshot, changed, signal);
      const { restored, left } = await this.putBack(snapshot, component, changed, staged, before, options, signal);
      options.progress?.('looking whether it is as it was');
      const after = await this.compareAll(snapshot, items, signal);
      const told = new Set(left.map(({ what }) => what));
      const wrong = after.filter(({ item, state }) => state !== 'same' && !told.has(labelOf(item)));
      const remains = wrong.map(({ item, how }) => ({ what: labelOf(item), why: how }));
      const isVerified = after.every(({ state }) => state === 'same');
      const since = isVerified ? await madeSince(ports, snapshot, items, signal) : [];
      await this.pruneNow();
      return { restored, verified: isVerified, left: [...left, ...remains, ...since], before };
    });
  }

  prune(): Promise<readonly string[]> {
    return this.atWork(() => this.pruneNow());
  }

  /** Alone at work in this directory, with what an earlier one left half done cleared away. */
  private atWork<T>(work: () => Promise<T>): Promise<T> {
    const { files, exclusively } = this.ports;
    return exclusively(async () => {
      await files.removeTree(this.workDir);
      await files.makeDir(this.workDir, { mode: 0o700 });
      try {
        return await work();
      } finally {
        await files.removeTree(this.workDir);
      }
    });
  }

  private async known(id: string): Promise<Snapshot> {
    const { snapshots, damaged } = await this.readAll();
    const found = snapshots.find((snapshot) => snapshot.id === id || snapshot.folder === id);
    if (found !== undefined) return found;
    if (damaged.includes(id)) throw new SnapshotDamaged(`the description of snapshot ${id}`, 'is not what was written');
    throw new SnapshotUnknown(id);
  }

  private async readAll(): Promise<{ readonly snapshots: readonly Snapshot[]; readonly damaged: readonly string[] }> {
    const { files, dir } = this.ports;
    const snapshots: Snapshot[] = [];
    const damaged: string[] = [];
    for (const folder of (await files.list(dir)).filter(isFolderName)) {
      const text = await files.readText(join(dir, folder, 'metadata.json'));
      const snapshot = text === null ? null : readManifest(text, folder);
      if (snapshot === null) damaged.push(folder);
      else snapshots.push(snapshot);
    }
    return { snapshots: snapshots.toSorted((a, b) => b.takenAtMs - a.takenAtMs || (a.id < b.id ? 1 : -1)), damaged };
  }

  /** Copies what was gathered; the folder is made last. On any failure only contents that nobody names are left, for `pruneNow`. */
  private async keep(component: ComponentSpec, request: SnapshotRequest, gathered: Gathered, signal: AbortSignal): Promise<Snapshot> {
    const { clock, ids, dir } = this.ports;
    const fileBytes = gathered.files.reduce((sum, { stat }) => sum + stat.sizeBytes, 0);
    // A database is copied to a file first, which is then encrypted; one of them lies there at a time.
    const databaseBytes = gathered.databases.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const largest = Math.max(0, ...gathered.databases.map(({ sizeBytes }) => sizeBytes));
    await this.needRoom(dir, fileBytes + databaseBytes + largest);
    try {
      const { items, leftOut } = await this.copyAll(component, gathered, request, signal);
      signal.throwIfAborted();
      const takenAtMs = clock.nowMs();
      const { reason, runId, bootId, signature, playbook } = request;
      const snapshot: Snapshot = {
        id: ids.next('snap'),
        folder: await this.freeFolder(folderName(reason, signature, takenAtMs)),
        component: component.name,
        reason,
        runId,
        bootId,
        signature,
        playbook,
        takenAtMs,
        items,
        sizeBytes: items.reduce((sum, item) => sum + ('sizeBytes' in item ? item.sizeBytes : 0), 0),
        leftOut: this.ports.redact([...gathered.leftOut, ...leftOut]),
      };
      await this.publish(snapshot, request.anomaly ?? {});
      return snapshot;
    } catch (error) {
      await this.collectGarbage().catch(() => undefined); // the failure itself is what has to be told
      if (codeOf(error) !== 'ENOSPC') throw error;
      throw new SnapshotNoRoom(dir, fileBytes + databaseBytes + largest, (await this.ports.files.diskRoom(dir))?.freeBytes ?? 0);
    }
  }

  private async copyAll(
    component: ComponentSpec,
    gathered: Gathered,
    request: SnapshotRequest,
    signal: AbortSignal,
  ): Promise<{ readonly items: readonly SnapshotItem[]; readonly leftOut: readonly LeftOut[] }> {
    const { files, objects, databases, placement, confine } = this.ports;
    const items: SnapshotItem[] = [...gathered.items];
    const leftOut: LeftOut[] = [];
    const orLeave = async (what: string, work: () => Promise<SnapshotItem>): Promise<void> => {
      signal.throwIfAborted();
      try {
        items.push(await work());
      } catch (error) {
        if (signal.aborted || codeOf(error) === 'ENOSPC') throw error;
        leftOut.push({ what, why: messageOf(error) });
      }
    };
    for (const { path, stat } of gathered.files)
      await orLeave(path, async () => {
        const { mode, uid, gid, mtimeMs } = stat;
        // Grace may be allowed to read what whoever can change these folders is not.
        const contents = await placement.anchored(
          path,
          (real) => confine(real, component),
          (at) => objects.put(at, signal),
          false,
        );
        return { kind: 'file', path, mode, uid, gid, mtimeMs, ...contents };
      });
    for (const { place, stat } of gathered.databases) {
      const label = place.engine === 'sqlite' ? place.path : place.name;
      request.progress?.(`copying ${label}`);
      await orLeave(label, async () => {
        const copy = join(this.workDir, 'database');
        try {
          const proof = await databases.copy(place, copy, signal);
          const contents = await objects.put(copy, signal);
          if (place.engine === 'postgres') return { kind: 'postgres', name: place.name, proof, ...contents };
          const { mode = 0o600, uid = 0, gid = 0, mtimeMs = 0 } = stat ?? {};
          return { kind: 'sqlite', path: place.path, proof, mode, uid, gid, mtimeMs, ...contents };
        } finally {
          await files.removeTree(copy);
        }
      });
    }
    return { items, leftOut };
  }

  private async publish(snapshot: Snapshot, anomaly: JsonObject): Promise<void> {
    const { files, dir, redact } = this.ports;
    const making = join(this.workDir, 'folder');
    await files.makeDir(making, { mode: 0o700 });
    const { id, component, reason, runId, bootId, signature, playbook, takenAtMs } = snapshot;
    const why = {
      ...redact(anomaly),
      snapshot: id,
      component,
      reason,
      signature,
      playbook,
      run_id: runId,
      boot_id: bootId,
      taken_at: new Date(takenAtMs).toISOString(),
    };
    await files.writeAtomic(join(making, 'anomaly.json'), `${JSON.stringify(why, null, 2)}\n`, { mode: 0o600 });
    await files.writeAtomic(join(making, 'metadata.json'), writeManifest(snapshot), { mode: 0o600 });
    await files.rename(making, join(dir, snapshot.folder));
  }

  private async freeFolder(wanted: string): Promise<string> {
    const { files, dir } = this.ports;
    for (let n = 1; ; n++) {
      const name = n === 1 ? wanted : `${wanted}_${n}`;
      if ((await files.stat(join(dir, name))) === null) return name;
    }
  }

  /** @throws SnapshotNoRoom */
  private async needRoom(where: string, bytes: number): Promise<void> {
    const room = await this.ports.files.diskRoom(where);
    if (room !== null && room.freeBytes < bytes + ROOM_LEFT_BYTES) throw new SnapshotNoRoom(where, bytes + ROOM_LEFT_BYTES, room.freeBytes);
  }

  private async compareAll(snapshot: Snapshot, items: readonly SnapshotItem[], signal: AbortSignal): Promise<readonly ItemComparison[]> {
    const compared: ItemComparison[] = [];
    for (const item of items) compared.push(await compareItem(this.ports, snapshot, item, signal));
    return compared;
  }

  /** Decrypts and checks every content that is needed. @throws SnapshotDamaged, SnapshotNoRoom */
  private async stage(items: readonly SnapshotItem[], signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const contents = new Map(items.flatMap((item) => ('digest' in item ? [[item.digest, item.sizeBytes] as const] : [])));
    await this.needRoom(
      this.workDir,
      [...contents.values()].reduce((sum, bytes) => sum + bytes, 0),
    );
    const staged = new Map<string, string>();
    for (const digest of contents.keys()) {
      signal.throwIfAborted();
      const to = join(this.workDir, `content-${staged.size}`);
      await this.ports.objects.extract(digest, to, signal);
      staged.set(digest, to);
    }
    return staged;
  }

  /** @throws SnapshotRefused when something that would be overwritten cannot be kept */
  private async keepBefore(
    component: ComponentSpec,
    snapshot: Snapshot,
    changed: readonly ItemComparison[],
    signal: AbortSignal,
  ): Promise<Snapshot> {
    const paths = changed.flatMap(({ item }) => (isDatabase(item) || item.kind === 'directory' ? [] : [item.path]));
    const places = changed.flatMap(({ item }) => (isDatabase(item) ? [placeOf(item, snapshot)] : []));
    const gathered = await gather(this.ports, component, { paths, places }, signal);
    const { signature, playbook, bootId, runId } = snapshot;
    const request = { reason: 'pre_restore', signature, playbook, bootId, runId, paths, databases: true } as const;
    const before = await this.keep(component, { ...request, anomaly: { restores: snapshot.id } }, gathered, signal);
    // A damaged SQLite database cannot be copied: when its turn comes it is moved aside, as it is.
    const sqlite = new Set(changed.flatMap(({ item }) => (item.kind === 'sqlite' ? [item.path] : [])));
    const lost = before.leftOut.find(({ what }) => !sqlite.has(what));
    if (lost !== undefined) {
      await this.forget(before);
      throw new SnapshotRefused(
        `${lost.what} would be overwritten and cannot be kept: ${lost.why}`,
        'nothing was changed; restore the rest with --only, or move it away yourself',
      );
    }
    return before;
  }

  /**
   * Databases first: they can refuse, and then no file has been touched. What fails is told and what follows is left, so that
   * nothing is put over what nobody understands.
   */
  private async putBack(
    snapshot: Snapshot,
    component: ComponentSpec,
    changed: readonly ItemComparison[],
    staged: ReadonlyMap<string, string>,
    before: Snapshot,
    options: RestoreOptions,
    signal: AbortSignal,
  ): Promise<{ readonly restored: readonly string[]; readonly left: readonly LeftOut[] }> {
    const inOrder = [...changed.filter(({ item }) => isDatabase(item)), ...changed.filter(({ item }) => !isDatabase(item))];
    const restored: string[] = [];
    const left: LeftOut[] = [];
    const kept = new Set(before.items.map(labelOf));
    for (const { item } of inOrder) {
      const what = labelOf(item);
      if (left.length > 0 || signal.aborted) {
        left.push({ what, why: signal.aborted ? 'it was stopped before' : 'left as it is, since something before it failed' });
        continue;
      }
      options.progress?.(`putting back ${what}`);
      try {
        await this.putItemBack(snapshot, component, item, staged, kept, signal);
        restored.push(what);
      } catch (error) {
        left.push({ what, why: messageOf(error) });
      }
    }
    return { restored, left: this.ports.redact(left) };
  }

  private async putItemBack(
    snapshot: Snapshot,
    component: ComponentSpec,
    item: SnapshotItem,
    staged: ReadonlyMap<string, string>,
    kept: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<void> {
    const { databases, placement, confine } = this.ports;
    const from = 'digest' in item ? (staged.get(item.digest) ?? '') : '';
    if (isDatabase(item)) {
      const traits = item.kind === 'sqlite' ? item : null;
      if (item.kind === 'sqlite') await confine(item.path, component);
      return databases.bringBack(placeOf(item, snapshot), from, { traits, isKept: kept.has(labelOf(item)) }, signal);
    }
    // Much time may have gone by since the first look, and somebody may have put a link in the place of a folder.
    await confine(item.path, component);
    return placement.anchored(
      item.path,
      (real) => confine(real, component),
      (at) => this.putPlainBack(item, at, from, kept.has(item.path)),
      item.kind !== 'absent',
    );
  }

  /** @param at  where its path leads for as long as this runs */
  private async putPlainBack(item: PlainItem, at: string, from: string, isKept: boolean): Promise<void> {
    const { files, databases, placement } = this.ports;
    const stat = await files.stat(at);
    const refuse = (): never => {
      throw new SnapshotRefused(`a ${stat?.kind} stands there now: it is left alone`, 'move it away, then restore again');
    };
    // Its log beside it would be lost, or would spoil what came into its place.
    if (stat?.kind === 'file' && ((await databases.isSqlite(at)) || (await partBeside(files, at)) !== null))
      throw new SnapshotRefused(`a SQLite database stands there now: it is left alone`, 'stop what uses it and move it away with its -wal');
    switch (item.kind) {
      case 'directory':
        if (stat !== null && stat.kind !== 'directory') refuse();
        if (stat === null) await files.makeDir(at, { mode: 0o700 });
        return placement.own(at, item);
      case 'absent':
        // Only what the snapshot before this restore holds: nothing is thrown away.
        if (stat?.kind === 'directory' || !isKept) refuse();
        return files.remove(at);
      case 'symlink':
        if (stat?.kind === 'directory') refuse();
        await files.remove(`${at}.grace-tmp`);
        await files.symlink(item.target, `${at}.grace-tmp`);
        return files.rename(`${at}.grace-tmp`, at);
      case 'file':
        if (stat?.kind === 'directory') refuse();
        return placement.place(from, at, item);
    }
  }

  private async pruneNow(): Promise<readonly string[]> {
    const { clock, objects, limits, unfinishedRuns } = this.ports;
    const { snapshots } = await this.readAll();
    const expired = expiredSnapshots(snapshots, limits.keep, clock.nowMs(), await unfinishedRuns(), await objects.stored());
    for (const snapshot of expired) await this.forget(snapshot);
    await this.collectGarbage();
    return expired.map(({ id }) => id);
  }

  /** Out of sight in one move; a crash in between leaves it in the work directory. */
  private async forget(snapshot: Snapshot): Promise<void> {
    const { files, dir } = this.ports;
    const gone = join(this.workDir, `gone-${snapshot.id}`);
    await files.rename(join(dir, snapshot.folder), gone);
    await files.removeTree(gone);
  }

  /** Removes contents that nobody names. While a description cannot be read, nobody knows what it names: all stay. */
  private async collectGarbage(): Promise<void> {
    const { objects } = this.ports;
    const { snapshots, damaged } = await this.readAll();
    if (damaged.length > 0) return;
    const named = new Set(snapshots.flatMap(objectsOf));
    for (const digest of (await objects.stored()).keys()) if (!named.has(digest)) await objects.remove(digest);
  }
}

type PlainItem = Exclude<SnapshotItem, { kind: 'sqlite' | 'postgres' }>;

/** @throws SnapshotRefused when something that was named is not in the snapshot */
function selected(snapshot: Snapshot, only: readonly string[] | undefined): readonly SnapshotItem[] {
  if (only === undefined || only.length === 0) return snapshot.items;
  const isWithin = (item: SnapshotItem, name: string): boolean => labelOf(item) === name || labelOf(item).startsWith(`${name}/`);
  for (const name of only)
    if (!snapshot.items.some((item) => isWithin(item, name)))
      throw new SnapshotRefused(`${name} is not in snapshot ${snapshot.id}`, `see what is in it with: grace snapshots show ${snapshot.id}`);
  return snapshot.items.filter((item) => only.some((name) => isWithin(item, name)));
}
