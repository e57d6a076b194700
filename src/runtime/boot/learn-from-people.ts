import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import type { Composed } from '../compose.ts';

/** What works now and had failed: somebody may have mended it. */
export async function learnFromPeople(
  works: readonly ComponentSpec[],
  components: readonly ComponentSpec[],
  { lookback, shadow }: Pick<Composed, 'lookback' | 'shadow'>,
): Promise<void> {
  for (const spec of works) {
    const lessons = await lookback.people.learn(spec, components);
    await shadow.score(spec, lessons);
  }
}
