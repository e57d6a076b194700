import { factsOf, type CaseFile, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY, PLAUSIBLE } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { absolutePath, driftAt, isOwn, shownPath } from './places.ts';
import { careFor, restoring } from './restore.ts';

/** The machine of an ELF file is a little-endian number at byte 18. */
const ELF_BYTES = 20;
const MACHINES: Readonly<Record<number, string>> = { 3: 'x86', 40: 'ARM', 62: 'x86-64', 183: 'ARM64', 243: 'RISC-V' };

/** A program that this machine cannot run: built for another processor, or a script that does not name its interpreter. */
export const wrongArchitecture: FailureFamily = {
  name: 'wrong_architecture',
  title: 'this machine cannot run the program',
  async diagnose(c) {
    const fact = factsOf(c, 'wrong_architecture')[0];
    if (fact === undefined) return [];
    const path = absolutePath(c.component, fact.subject);
    const shown = path === null ? 'a program' : shownPath(c.component, path);
    const why = path === null ? null : await whyNot(c, path);
    const drift = path !== null && isOwn(c.component, path) ? driftAt(c, path, 'changed') : null;
    return [
      diagnosis('wrong_architecture', {
        cause: `this machine cannot run ${shown}${why === null ? '' : `: ${why}`}${drift === null ? '' : '; it changed since the last good boot'}`,
        confidence: drift?.canRestore ? LIKELY : PLAUSIBLE,
        evidence: [fact.line, drift?.message ?? ''],
        remedy: path !== null && drift?.canRestore ? restoring(c, path, careFor(path, { ...drift, isBroken: true })) : null,
        advice: [
          why?.includes('#!') ? `let ${shown} begin with #! and its interpreter` : `build or install ${shown} for this machine (uname -m)`,
        ],
      }),
    ];
  },
  guard: (g) => guardOfSteps('wrong_architecture', g),
};

async function whyNot(c: CaseFile, path: string): Promise<string | null> {
  const head = await c.files.readRange(path, 0, ELF_BYTES);
  if (head === null || head.length < 2) return 'it is empty';
  const isElf = head[0] === 0x7f && head[1] === 0x45;
  if (!isElf) return head[0] === 0x23 && head[1] === 0x21 ? null : 'it is neither a program nor a script that begins with #!';
  const machine = (head[18] ?? 0) + ((head[19] ?? 0) << 8);
  return `it is built for ${MACHINES[machine] ?? `machine ${machine}`}`;
}
