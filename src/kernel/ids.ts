declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A boot: `boot_YYYYMMDD_HHMMSS`, with a suffix when two fall into one second. */
export type BootId = Branded<'BootId'>;
/** `<stage_slug>_<first 8 of signature>`. */
export type IncidentId = Branded<'IncidentId'>;
/** 16 hex digits. */
export type Signature = Branded<'Signature'>;

export const bootId = (text: string): BootId => text as BootId;
export const incidentId = (text: string): IncidentId => text as IncidentId;
export const signatureOf = (text: string): Signature => text as Signature;

/** Where new ids come from: time-ordered and unique on this machine. */
export interface Ids {
  next(prefix: string): string;
}
