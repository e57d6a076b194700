// The kernel knows nothing of services: time, randomness, ids, errors, invariants, and the ports to the host.
export type { Clock } from './clock.ts';
export { seededRandom, type Random } from './random.ts';
export { bootId, incidentId, signatureOf, type BootId, type Ids, type IncidentId, type Signature } from './ids.ts';
export type { Json, JsonObject } from './json.ts';
export { codeOf, GraceError, messageOf, type GraceErrorParts } from './errors.ts';
export { invariant, InvariantViolated } from './invariant.ts';
export { formatDuration, parseDurationMs } from './duration.ts';
export { createDigest, sha256, sha256Hex } from './hash.ts';
export type { Logger } from './logger.ts';
export type { DiskRoom, Files, FileStat } from './files.ts';
export type { CommandOptions, CommandResult, Spawner } from './spawner.ts';
export { globPattern } from './path-glob.ts';
