import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Whether there is anything to sell. */
export default async function check({ cwd }: { readonly cwd: string }): Promise<true | { message: string; hint: string }> {
  const prices = JSON.parse(await readFile(join(cwd, 'config', 'prices.json'), 'utf8')) as readonly unknown[];
  return prices.length > 0 ? true : { message: 'the price list is empty', hint: 'put a price into config/prices.json' };
}
