import type { Clock, Files } from '../../kernel/index.ts';
import type { WaitFor } from '../learning/index.ts';
import type { HostView } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';

export interface WaitPorts {
  readonly clock: Clock;
  readonly files: Files;
  readonly host: HostView;
}

/** How soon it is noticed that the cause is gone. */
const LOOK_MS = 400;

/**
 * Waits until the cause of a failure may be gone: what the diagnosis names, or any file that the component is started
 * from. Always worth a new try after `patienceMs`, since no diagnosis is certain.
 * @returns what happened, in words
 */
export async function waitForCause(
  waitFor: WaitFor | null,
  spec: ComponentSpec,
  patienceMs: number,
  ports: WaitPorts,
  signal: AbortSignal,
  alsoWatched: readonly string[] = [],
): Promise<string> {
  const { clock, files } = ports;
  const watched = [
    ...spec.envFiles,
    ...spec.command.map((word) => (word.startsWith('/') ? word : `${spec.cwd}/${word}`)),
    ...(waitFor?.kind === 'file_change' ? [waitFor.path] : []),
    ...alsoWatched,
  ];
  const stamp = async (): Promise<string> =>
    JSON.stringify(await Promise.all(watched.map(async (path) => (await files.stat(path))?.mtimeMs ?? null)));
  const before = await stamp();
  const deadlineMs = clock.monotonicMs() + patienceMs;
  while (clock.monotonicMs() < deadlineMs) {
    await clock.sleep(LOOK_MS, signal);
    const gone = waitFor === null ? null : await causeIsGone(waitFor, spec.name, ports);
    if (gone !== null) return gone;
    if ((await stamp()) !== before) return 'a file it is started from has changed';
  }
  return 'time for another try';
}

async function causeIsGone(waitFor: WaitFor, component: string, { files, host }: WaitPorts): Promise<string | null> {
  switch (waitFor.kind) {
    case 'port_free':
      return (await host.portHolder(waitFor.port, component)) === null ? `port ${waitFor.port} is free` : null;
    case 'reachable':
      return (await host.canConnect(waitFor.host, waitFor.port)) ? `${waitFor.host}:${waitFor.port} answers` : null;
    case 'disk_room': {
      const room = await files.diskRoom(waitFor.path);
      return room !== null && room.freeBytes >= waitFor.bytes ? `there is room on the disk of ${waitFor.path}` : null;
    }
    case 'file_change':
      return null; // among the watched files
  }
}

/** What is waited for, for people. */
export function describeWait(waitFor: WaitFor | null): string {
  switch (waitFor?.kind) {
    case undefined:
      return 'a change of its files or environment';
    case 'port_free':
      return `port ${waitFor.port} to become free`;
    case 'reachable':
      return `${waitFor.host}:${waitFor.port} to answer`;
    case 'disk_room':
      return `room on the disk of ${waitFor.path}`;
    case 'file_change':
      return `a change of ${waitFor.path}`;
  }
}
