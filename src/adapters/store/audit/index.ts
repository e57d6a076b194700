// The durable half of the audit log: entries and their tree in the store's file, one sync for all who wait, the signing key beside it.
export { openAuditLog, type AuditLogOptions } from './open-audit-log.ts';
export { AuditLog, type AuditedChange, type CompiledStatement } from './audit-log.ts';
export { openAuditReader, type StoredAuditReader } from './audit-reader.ts';
export type { AuditDamage } from './check-tail.ts';
export { whyClosed } from './why-closed.ts';
export { readKeptHead } from './head-file.ts';
