import { expect, expectTypeOf, test } from 'vitest';
import type { PrimitiveParams as WrittenParams } from '../domains/playbooks/index.ts';
import { primitives, type PrimitiveParams } from './index.ts';
import { parameterTypes } from './parameter-types.ts';

test('the types of parameters are written from what the primitives declare', async () => {
  await expect(parameterTypes(primitives.values())).toMatchFileSnapshot('../domains/playbooks/primitive-params.ts');
});

/** The same written out: what takes no parameters is written differently and means the same. */
type Flat<T> = { -readonly [N in keyof T as T[N] extends Readonly<Record<string, never>> ? never : N]: { [P in keyof T[N]]: T[N][P] } };

test('the types that are written are those that the primitives check by', () => {
  expectTypeOf<keyof WrittenParams>().toEqualTypeOf<keyof PrimitiveParams>();
  expectTypeOf<Flat<WrittenParams>>().toEqualTypeOf<Flat<PrimitiveParams>>();
});
