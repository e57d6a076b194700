import type { CaseFile, FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, linesOf, PERHAPS } from './answer.ts';

/** 128 and the number of the signal, as shells report it. */
const BY_EXIT_CODE: Readonly<Record<number, string>> = { 134: 'SIGABRT', 135: 'SIGBUS', 136: 'SIGFPE', 139: 'SIGSEGV' };
const NATIVE = new Set(Object.values(BY_EXIT_CODE));

/** A fault in machine code: of the runtime, of an extension, or of the program. Words that explain it win. */
export const nativeCrash: FailureFamily = {
  name: 'native_crash',
  title: 'it crashed in machine code',
  diagnose(c) {
    const signal = signalOf(c, NATIVE, BY_EXIT_CODE);
    // Runtimes abort on purpose after they have said why.
    if (signal === null || (signal === 'SIGABRT' && c.failure.facts.some((f) => f.runtime !== 'kernel'))) return Promise.resolve([]);
    const drift = c.drift.filter((d) => d.kind === 'runtime');
    return Promise.resolve([
      diagnosis('native_crash', {
        cause: `${c.component.name} crashed in machine code (${signal})${drift.length > 0 ? '; its runtime changed since the last good boot' : ''}`,
        confidence: PERHAPS,
        evidence: [...linesOf(c.failure.facts), ...drift.map((d) => d.message)],
        advice: [
          'look at the core dump (coredumpctl), or at what it said last',
          'suspect native extensions first: build or install them again for this runtime',
        ],
      }),
    ]);
  },
  guard: null,
};

/** The signal that ended it, or that its shell told of. */
export function signalOf(
  c: Pick<CaseFile, 'failure'>,
  signals: ReadonlySet<string>,
  byExitCode: Readonly<Record<number, string>>,
): string | null {
  const { signal, exitCode, facts } = c.failure;
  if (signal !== null && signals.has(signal)) return signal;
  const said = facts.find((f) => f.kind === 'exception' && f.runtime === 'kernel' && signals.has(f.code));
  return said?.code ?? byExitCode[exitCode ?? -1] ?? null;
}
