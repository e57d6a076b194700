// Boot: the eight stages, from nothing to a service that is watched.
export type { BootRecord, BootStore } from './ports.ts';
export type { BootReport, ComponentReport, StageReport, StageResultKind } from './report.ts';
