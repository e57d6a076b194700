import { basename } from 'node:path';
import { GraceError, messageOf, sha256Hex, type Clock } from '../../kernel/index.ts';
import type { Finding } from '../preflight/index.ts';
import { SEVERITY, type Playbook, type PlaybookStore } from '../playbooks/index.ts';
import type { PlaybookLibrary } from './healer-ports.ts';

/** Registers what is in the playbook folder: new files, and files that somebody edited since Grace last saw them. */
export async function syncPlaybooks(
  library: PlaybookLibrary,
  store: PlaybookStore,
  clock: Clock,
): Promise<{ readonly known: number; readonly edited: readonly string[]; readonly broken: readonly Finding[] }> {
  const edited: string[] = [];
  const broken: Finding[] = [];
  const known = new Map((await store.list()).map((p) => [p.file, p]));
  for (const file of await library.files()) {
    const before = known.get(file);
    const hash = await library.hash(file);
    if (before !== undefined && before.hash === hash) continue;
    try {
      const { playbook, hash: loaded } = await library.load(file);
      // Another hash is another version: it has earned nothing yet.
      await store.save({
        name: playbook.name,
        description: playbook.description,
        risk: playbook.risk,
        tier: playbook.tier,
        service: playbook.service,
        severity: SEVERITY[playbook.risk],
        version: (before?.version ?? 0) + 1,
        hash: loaded,
        file,
        origin: before === undefined ? 'written' : 'edited',
        family: playbook.match.family ?? null,
        signature: playbook.match.signature ?? null,
        component: playbook.match.component ?? null,
        params: playbook.params,
        steps: before?.steps ?? [],
        isEnabled: before?.isEnabled ?? true,
        createdAtMs: clock.nowMs(),
        verifiedCount: 0,
        failedCount: 0,
      });
      edited.push(playbook.name);
    } catch (error) {
      broken.push({
        severity: 'warn',
        code: 'playbook_invalid',
        component: 'grace',
        message: messageOf(error),
        evidence: [basename(file)],
        hint: error instanceof GraceError ? (error.hint ?? '') : 'correct the file',
        fix: null,
      });
    }
  }
  return { known: (await store.list()).length, edited, broken };
}

/** Makes the playbooks that ship with Grace known to the store; those the service has a file for keep theirs. */
export async function registerShipped(shipped: readonly Playbook[], store: PlaybookStore, clock: Clock): Promise<void> {
  const known = new Set((await store.list()).map((p) => p.name));
  for (const playbook of shipped) {
    if (known.has(playbook.name)) continue;
    await store.save({
      name: playbook.name,
      description: playbook.description,
      risk: playbook.risk,
      tier: playbook.tier,
      service: playbook.service,
      severity: SEVERITY[playbook.risk],
      version: 1,
      hash: sha256Hex(playbook.run.toString()),
      file: 'grace-runtime',
      origin: 'shipped',
      family: playbook.match.family ?? null,
      signature: null,
      component: null,
      params: playbook.params,
      steps: [],
      isEnabled: true,
      createdAtMs: clock.nowMs(),
      verifiedCount: 0,
      failedCount: 0,
    });
  }
}
