import type { HealthScore, Suggestion } from '../../domains/learning/index.ts';
import type { FailureInput, GeneratedPlaybook, GenerateOptions, KnownPattern, Memory, MemoryOptions, RecordedFailure } from './contract.ts';

// What a service does with Grace's memory from inside [BL-16]. Everything behind it is loaded when it is first called: a
// playbook imports the same module, and has no use for it.

/**
 * Opens what Grace remembers of a service, beside a Grace that runs or without one. The store is made when there is none.
 * Close it, or declare it with `await using`.
 * @throws GraceError with `GRACE_CONFIG_INVALID`, `GRACE_STORE_FOREIGN`, `GRACE_STORE_TOO_NEW` or `GRACE_STORE_UNWRITABLE`
 */
export async function openMemory(options: MemoryOptions = {}): Promise<Memory> {
  const memory = await import('./memory.ts');
  return memory.openMemory(options);
}

/** Remembers, recognises and explains a failure; nothing is done about it. @throws GraceError as openMemory, `GRACE_LIBRARY_INPUT_INVALID` */
export async function recordFailure(failure: FailureInput, options: MemoryOptions = {}): Promise<RecordedFailure> {
  await using memory = await openMemory(options);
  return await memory.recordFailure(failure);
}

/** The playbook of an incident as TypeScript. @throws GraceError as openMemory, `GRACE_LIBRARY_INCIDENT_UNKNOWN`, `GRACE_LIBRARY_NO_REMEDY` */
export async function generatePlaybook(incident: string, options: MemoryOptions & GenerateOptions = {}): Promise<GeneratedPlaybook> {
  await using memory = await openMemory(options);
  return await memory.generatePlaybook(incident, options);
}

/** How well the last ten boots went, and why. */
export async function healthScore(options: MemoryOptions = {}): Promise<HealthScore> {
  await using memory = await openMemory(options);
  return await memory.healthScore();
}

/** Every family of failures that was seen, the one seen last first. */
export async function patterns(options: MemoryOptions = {}): Promise<readonly KnownPattern[]> {
  await using memory = await openMemory(options);
  return await memory.patterns();
}

/** What would be worth doing, most worthwhile first, each with its reason. */
export async function suggestions(options: MemoryOptions = {}): Promise<readonly Suggestion[]> {
  await using memory = await openMemory(options);
  return await memory.suggestions();
}
