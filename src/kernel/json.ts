/** What JSON can hold: the shape of everything that crosses into the store or a report. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };
