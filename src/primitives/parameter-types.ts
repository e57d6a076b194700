import type { DefinedPrimitive } from './define-primitive.ts';

const HEADER = `/**
 * What each primitive takes, by its name: \`ctx.step\` is typed by it, so that an editor completes parameters and knows a wrong one.
 * Paths are relative to the component's directory. Written by \`npx vitest run --project unit src/primitives/parameter-types.test.ts -u\`
 * from what the primitives declare, which is also what they check when a step is asked for: change it there. This file imports nothing:
 * where grace-runtime is not installed, its text goes into \`playbooks/grace.d.ts\`.
 */
export interface PrimitiveParams {
`;

/** The source of \`PrimitiveParams\`: TypeScript that needs nothing else. */
export function parameterTypes(primitives: Iterable<DefinedPrimitive>): string {
  return `${HEADER}${[...primitives].map(member).join('')}}\n`;
}

function member({ name, description, parameters }: DefinedPrimitive): string {
  const fields = Object.entries(parameters).map(
    ([key, { about, shape, type, isOptional }]) =>
      `    /** ${about} (${shape}) */\n    readonly ${key}${isOptional ? '?' : ''}: ${type}${isOptional ? ' | null' : ''};\n`,
  );
  // An interface without members would take anything.
  const type = fields.length === 0 ? '{ readonly [none: string]: never }' : `{\n${fields.join('')}  }`;
  return `  /** ${description} */\n  ${name}: ${type};\n`;
}
