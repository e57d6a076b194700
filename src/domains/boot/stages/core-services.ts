import { messageOf } from '../../../kernel/index.ts';
import type { Finding } from '../../preflight/index.ts';
import { finding, type Stage } from '../boot-context.ts';
import { StageParts } from '../stage-parts.ts';

/** Slower than this and every decision, journal entry and report waits for the disk. */
const STORE_SLOW_MS = 1000;

export const coreServices: Stage = {
  number: 3,
  name: 'Core Services',
  onFailure: 'abort',
  async run(context) {
    const { core, reconciled } = context;
    const findings: Finding[] = [];
    const failures: string[] = [];
    const parts = new StageParts(context, findings, failures);
    let storeMs = -1;
    let meshMs = -1;
    await parts.run('store_round_trip', 'a row through the store', 'store', async () => {
      try {
        const { text, ms } = await core.storeRoundTrip('grace');
        storeMs = ms;
        if (text !== 'grace') failures.push('the store gave back something else than was written');
        if (ms > STORE_SLOW_MS)
          findings.push(
            finding(
              'warn',
              'store_slow',
              'grace',
              `the store took ${Math.round(ms)} ms for one row`,
              'look at the disk of the data directory',
            ),
          );
      } catch (error) {
        failures.push(`the store does not work: ${messageOf(error)}`);
      }
    });
    await parts.run('mesh', 'an event through the mesh', 'spine', async () => {
      try {
        meshMs = await core.meshRoundTrip();
      } catch (error) {
        failures.push(`the event mesh does not work: ${messageOf(error)}`);
      }
    });
    for (const boot of reconciled.interrupted)
      findings.push(finding('info', 'boot_interrupted', 'grace', `boot ${boot} was cut off; it is marked interrupted`, 'nothing to do'));
    const notes = [
      ...(reconciled.adopted.length > 0 ? [`adopted ${reconciled.adopted.join(', ')}`] : []),
      ...(reconciled.ended.length > 0 ? [`ended left-overs of ${reconciled.ended.join(', ')}`] : []),
      ...(reconciled.undone.length > 0 ? [`undid unfinished ${reconciled.undone.join(', ')}`] : []),
    ];
    return {
      result: failures.length > 0 ? 'failed' : findings.some((f) => f.severity === 'warn') ? 'warned' : 'success',
      metrics: { 'startup.store_ms': storeMs, 'startup.mesh_ms': meshMs, 'startup.adopted': reconciled.adopted.length },
      findings,
      parts: parts.list,
      fixes: [],
      failure: failures.length > 0 ? failures.join('; ') : null,
      detail: failures[0] ?? notes.join('; '),
    };
  },
};
