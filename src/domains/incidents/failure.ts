import type { BootId, JsonObject, Signature } from '../../kernel/index.ts';
import type { Fact, Frame } from './fact.ts';
import type { SignaturePart } from './signature-parts.ts';

/** How a failure was noticed. */
export type Symptom =
  | 'exit' // the process ended, whatever its exit code
  | 'spawn' // it could not be started
  | 'not_ready' // it lives but never became ready
  | 'wrong_process' // the port answers, but it is somebody else
  | 'smoke' // it is ready, but does not really work
  | 'liveness' // it stopped answering
  | 'latency' // it answers far slower than it used to
  | 'memory' // it grows towards its limit
  | 'crash_loop' // it used up its restarts
  | 'dependency' // something it needs is down
  | 'check'; // a check of a boot stage failed

/** One captured occurrence. Everything in it is redacted. */
export interface Failure {
  readonly id: string;
  readonly bootId: BootId;
  readonly atMs: number;
  /** `6. Autonomy Load`, or `runtime`. */
  readonly stage: string;
  readonly component: string;
  readonly symptom: Symptom;
  /** One line: what happened. */
  readonly message: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** First and last lines of the output of this run. */
  readonly output: readonly string[];
  readonly headline: string;
  /** What it is about, with everything masked that changes from run to run. */
  readonly subject: string;
  readonly facts: readonly Fact[];
  readonly frames: readonly Frame[];
  readonly family: string;
  readonly signature: Signature;
  /** What went into the signature: see `compareSignatures`. */
  readonly signatureParts: readonly SignaturePart[];
  /** Milliseconds from the start of the process to the failure; null when it never started. */
  readonly afterMs: number | null;
  readonly context: JsonObject;
  /** Where a person's rules put it elsewhere: the signature it would have had, and the rules; absent otherwise. */
  readonly grouping?: { readonly own: Signature; readonly rules: readonly string[] };
}
