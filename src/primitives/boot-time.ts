/** When a boot began, from its id: `boot_20261122_130038`, in UTC; 0 when the id does not say. */
export function bootTimeMs(bootId: string): number {
  const m = /(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)/.exec(bootId);
  return m ? Date.UTC(Number(m[1]), Number(m[2]) - 1, Number(m[3]), Number(m[4]), Number(m[5]), Number(m[6])) : 0;
}
