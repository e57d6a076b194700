import type { BootRecord } from '../../domains/boot/index.ts';
import { NotKnown } from './errors.ts';
import type { Memory } from './memory.ts';

/** A boot by its id, by `last`, or by an id without its `boot_`. */
export async function findBoot(memory: Pick<Memory, 'boots'>, name: string): Promise<BootRecord | null> {
  if (name === 'last') return (await memory.boots.list(1))[0] ?? null;
  return (await memory.boots.get(name)) ?? (await memory.boots.get(`boot_${name}`));
}

/** @throws NotKnown */
export async function theBoot(memory: Memory, name: string): Promise<BootRecord> {
  const boot = await findBoot(memory, name);
  if (boot === null) throw new NotKnown('boot', name, 'see the known ones with: grace boots');
  return boot;
}
