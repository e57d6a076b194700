import { join } from 'node:path';
import { nodeFiles } from '../../adapters/node/files.ts';
import { appearanceOf, type Appearance } from '../../adapters/node/host-view.ts';
import { takePackageManifest, type PackageManifest } from '../../adapters/node/packages.ts';
import { pidsListeningOn } from '../../adapters/node/ports.ts';
import type { SnapshotStore } from '../../adapters/store/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { sha256Hex, type BootId } from '../../kernel/index.ts';

export interface ProcessLooksOptions {
  readonly snapshots: SnapshotStore;
  readonly components: readonly ComponentSpec[];
  readonly bootId: BootId;
  /** Keyed: arguments may hold secrets, and what is remembered of a command line is this. */
  readonly digest: (text: string) => string;
}

/** How processes looked when all was well: what they called themselves, and the packages they ran with. */
export interface ProcessLooks {
  appearance(component: string): Promise<Appearance | null>;
  /** Of the process that runs in this directory. */
  packages(cwd: string): Promise<PackageManifest | null>;
  /** Takes the present look as good. @param port  where it listens; null where it does not */
  keep(spec: ComponentSpec, port: number | null): Promise<void>;
}

export function processLooks({ snapshots, components, bootId, digest }: ProcessLooksOptions): ProcessLooks {
  const packages = async (cwd: string): Promise<PackageManifest | null> => {
    const spec = components.find((c) => c.kind === 'process' && c.cwd === cwd);
    const body = spec === undefined ? null : await snapshots.get(spec.name, 'packages');
    return body === null ? null : (JSON.parse(body) as PackageManifest);
  };
  return {
    packages,
    appearance: async (component) => JSON.parse((await snapshots.get(component, 'appearance')) ?? 'null') as Appearance | null,
    async keep(spec, port) {
      const listener = port === null ? undefined : pidsListeningOn(port)[0];
      const appearance = listener === undefined ? null : appearanceOf(listener, digest);
      if (appearance !== null) await snapshots.put(spec.name, 'appearance', bootId, JSON.stringify(appearance));
      const before = await packages(spec.cwd);
      const lock = await nodeFiles.readText(join(spec.cwd, 'package-lock.json'));
      if (lock === null || before?.lockDigest === sha256Hex(lock)) return;
      const manifest = await takePackageManifest(spec.cwd, nodeFiles);
      if (manifest !== null) await snapshots.put(spec.name, 'packages', bootId, JSON.stringify(manifest));
    },
  };
}
